select run_id, counts from lapsewatch.extraction where kind = :kind and extracted_at >= :today
