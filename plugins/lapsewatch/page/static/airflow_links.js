"use strict";
// Airflow shows this page in a sandboxed frame, in which a link to Airflow's own pages could only nest Airflow in itself. The
// window around the frame is of the same origin: it follows the link instead, by the same click, which may ask for another tab.
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[target="_top"]');
  if (!link || window.parent === window) return;
  event.preventDefault();
  const outside = window.parent.document.createElement("a");
  outside.href = link.href;
  outside.dispatchEvent(new MouseEvent("click", event));
});
