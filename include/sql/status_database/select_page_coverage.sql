select in_use_count, fresh_count, fresh_share, never_checked_count, oldest_checked_at, summed_up_at
from lapsewatch.coverage
