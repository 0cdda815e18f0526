insert into lapsewatch.check_validation (
    run_id, validated_at, success, row_count, quarantined_count, judged_count, newly_adverse_count, trouble, results,
    data_docs
)
values (
    :run_id, :now, :success, :row_count, :quarantined_count, :judged_count, :newly_adverse_count, :trouble,
    cast(:results as jsonb), :data_docs
)
on conflict (run_id) do update
set validated_at = excluded.validated_at, success = excluded.success, row_count = excluded.row_count,
    quarantined_count = excluded.quarantined_count, judged_count = excluded.judged_count,
    newly_adverse_count = excluded.newly_adverse_count, trouble = excluded.trouble, results = excluded.results,
    data_docs = excluded.data_docs
