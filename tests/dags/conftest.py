import pytest
from airflow.dag_processing.dagbag import DagBag

from local.checkout import DAGS


@pytest.fixture(scope="session")
def dag_bag() -> DagBag:
    """Every DAG of the folder, as Airflow's DAG processor reads them."""
    return DagBag(DAGS)
