"use strict";
// Draws each chart from the table beside it, so that the two can't differ. A heading with data-series names the colour of its
// column; the first cell of a row is its label.
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  const read = (table) => {
    const rows = [...table.tBodies[0].rows];
    const headings = [...table.tHead.rows[0].cells];
    const series = headings.flatMap((heading, index) =>
      heading.dataset.series
        ? [{ label: heading.textContent, colour: heading.dataset.series, data: rows.map((row) => Number(row.cells[index].dataset.value)) }]
        : [],
    );
    return { labels: rows.map((row) => row.cells[0].dataset.label), series };
  };

  const draw = (figure, canvas) => {
    const { labels, series } = read(figure.querySelector("table"));
    const isHorizontal = figure.dataset.chart === "horizontal";
    const ticks = { color: colour("quiet") };
    const isLogarithmic = figure.dataset.scale === "logarithmic";
    // What is counted has no tenths; a logarithmic axis would name them.
    const isNamed = (value) => !isLogarithmic || (value >= 1 && Number.isInteger(Math.log10(value)));
    const scale = isLogarithmic ? ", logarithmic" : "";
    const values = {
      type: figure.dataset.scale,
      beginAtZero: true,
      stacked: series.length > 1,
      border: { display: false },
      grid: { color: colour("line") },
      title: { display: series.length === 1, text: `${series[0].label}${scale}`, color: colour("quiet") },
      ticks: { ...ticks, precision: 0, maxTicksLimit: 6, callback: (value) => (isNamed(value) ? value.toLocaleString("en") : "") },
    };
    const names = {
      stacked: series.length > 1,
      border: { color: colour("line") },
      grid: { display: false },
      ticks: { ...ticks, autoSkip: !isHorizontal, maxTicksLimit: isHorizontal ? undefined : 8, maxRotation: 0 },
    };
    return new Chart(canvas, {
      type: "bar",
      data: {
        labels,
        datasets: series.map((each) => ({
          label: each.label,
          data: each.data,
          backgroundColor: colour(`series-${each.colour}`),
          borderRadius: 2,
          maxBarThickness: 18,
          minBarLength: isHorizontal ? 2 : 0,
        })),
      },
      options: {
        indexAxis: isHorizontal ? "y" : "x",
        animation: false,
        maintainAspectRatio: false,
        scales: isHorizontal ? { x: values, y: names } : { x: names, y: values },
        plugins: {
          legend: { display: series.length > 1, position: "bottom", labels: { color: colour("text"), boxWidth: 12 } },
        },
      },
    });
  };

  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  const charts = [...document.querySelectorAll("figure.chart")].map((figure) => {
    const plot = document.createElement("div");
    plot.className = "plot";
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${figure.dataset.label}. The figures are in the table that follows.`);
    plot.append(canvas);
    // One bar a row, each with room for its name.
    if (figure.dataset.chart === "horizontal") plot.style.height = `${figure.querySelector("tbody").rows.length * 30 + 60}px`;
    figure.prepend(plot);
    return { figure, canvas, chart: draw(figure, canvas) };
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const each of charts) {
      each.chart.destroy();
      each.chart = draw(each.figure, each.canvas);
    }
  });
})();
