# The slim official image: Airflow without the sixty other providers, whose own pins would fight requirements.lock.
FROM apache/airflow:slim-3.3.2-python3.12

# pyproject.toml says what production needs (no development tools); the lock says which versions and which files.
# --require-hashes: a package missing from the lock, or a file that differs from it, fails the build.
COPY pyproject.toml requirements.lock /tmp/lapsewatch/
RUN uv pip install --no-cache --require-hashes \
        --requirements /tmp/lapsewatch/pyproject.toml --constraints /tmp/lapsewatch/requirements.lock

# Files of root's: a task that writes where it should not cannot alter the code that is here.
COPY include ${AIRFLOW_HOME}/include
COPY simulator ${AIRFLOW_HOME}/simulator
COPY plugins ${AIRFLOW_HOME}/plugins
COPY dags ${AIRFLOW_HOME}/dags

# Airflow finds plugins/ and dags/ by itself; alembic and `python -m simulator` do not.
ENV PYTHONPATH=${AIRFLOW_HOME}:${AIRFLOW_HOME}/plugins
