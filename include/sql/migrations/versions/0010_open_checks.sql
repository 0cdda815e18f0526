-- A batch of a large run is read in pages: each one is found where the last one ended, instead of sorting all that is open.
drop index lapsewatch.domain_check_open;
create index domain_check_open on lapsewatch.domain_check (run_id, batch, domain) where checked_at is null;
