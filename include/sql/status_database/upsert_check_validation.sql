insert into lapsewatch.check_validation
    (run_id, validated_at, success, row_count, quarantined_count, trouble, results)
values (:run_id, clock_timestamp(), :success, :row_count, :quarantined_count, :trouble, cast(:results as jsonb))
on conflict (run_id) do update
set validated_at = excluded.validated_at, success = excluded.success, row_count = excluded.row_count,
    quarantined_count = excluded.quarantined_count, trouble = excluded.trouble, results = excluded.results
