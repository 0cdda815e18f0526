select document, fetched_at from lapsewatch.rdap_bootstrap where url = :url
