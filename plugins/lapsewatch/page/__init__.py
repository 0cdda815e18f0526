"""The page in Airflow that shows what a run would unverify, or has: it reads, and changes nothing."""
