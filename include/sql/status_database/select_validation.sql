select run_id, validated_at, success, row_count, quarantined_count, trouble, data_docs
from lapsewatch.check_validation
where run_id = :run_id
