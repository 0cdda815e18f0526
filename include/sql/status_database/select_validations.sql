select run_id, validated_at, success, row_count, quarantined_count, trouble, data_docs is not null as is_shown
from lapsewatch.check_validation
order by validated_at desc, run_id
limit :most
