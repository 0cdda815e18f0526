-- A run is planned once: a repeated attempt finds its rows by the time of the first.
select min(planned_at) from lapsewatch.domain_check where run_id = :run_id
