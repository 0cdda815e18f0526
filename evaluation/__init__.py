"""The contest: a simulated year under several policies, decided by the product's own rules, and what each protects.

It knows `lapsewatch.core` and `simulator`, nothing else of the product: who asks whom, and when, but no Airflow, SQL or
HTTP. `docs/protection.md` tells what came of it.
"""
