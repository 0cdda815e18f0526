"""The rules of the field, pure: standard library, IDNA and the Public Suffix List; no Airflow, HTTP or SQL."""
