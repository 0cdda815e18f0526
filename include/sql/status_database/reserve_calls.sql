select call_count, starts_in, seconds_between, place_count, again_in, resumes_at, is_kept_back
from lapsewatch.reserve_calls(
    :provider, :caller, :run_id, :is_backfill, :wanted, :in_flight, :unused,
    :requests_per_second, :max_in_flight, :calls_per_day, :calls_per_month, :run_rate, :due_today, :due_a_day
)
