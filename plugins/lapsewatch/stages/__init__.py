"""The stages of a run, in the order of the walk: one file each, a plain function that its Airflow task calls.

Each stage is idempotent and resumes: run again, it does what is left. Stages speak through the status database.
"""
