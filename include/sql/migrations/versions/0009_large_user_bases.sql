comment on column lapsewatch.email_host.last_seen_at is 'The extraction that found the host, or another number of addresses on it; of a host without addresses, the last one that found any.';
