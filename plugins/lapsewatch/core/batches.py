"""Into how many status-check tasks a run is cut.

A mapped Airflow task costs about 0.2 s and a place in the grid, so a batch is large; and a run has tens of
batches at most, however many domains are due, because Airflow's `max_map_length` and people's eyes end there.
"""

MAX_BATCHES = 32

DOMAINS_PER_BATCH = 500
"""The size batches have until there are `MAX_BATCHES` of them; from then on they grow."""
