from lapsewatch.page.addresses import unverifications_url


def test_a_run_id_is_quoted_whole() -> None:
    url = unverifications_url("https://airflow.example/base/", "manual__2026-11-22T05:17:47.9+00:00/?#")
    assert url == (
        "https://airflow.example/base/lapsewatch/runs/"
        "manual__2026-11-22T05%3A17%3A47.9%2B00%3A00%2F%3F%23/unverifications"
    )
