insert into lapsewatch.rdap_bootstrap (url, fetched_at, publication, document)
values (:url, clock_timestamp(), :publication, cast(:document as jsonb))
on conflict (url) do update
set fetched_at = excluded.fetched_at, publication = excluded.publication, document = excluded.document
