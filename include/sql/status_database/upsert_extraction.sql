insert into lapsewatch.extraction (kind, run_id, extracted_at, counts)
values (:kind, :run_id, :now, cast(:counts as jsonb))
on conflict (kind) do update
set run_id = excluded.run_id, extracted_at = excluded.extracted_at, counts = excluded.counts
