comment on column lapsewatch.email_host.last_seen_at is 'The extraction that found the host, or another number of addresses on it; of a host without addresses, the last one that found any.';
comment on column lapsewatch.account_at_risk.seen_at is 'The extraction that found it so first, or found it changed: the last one, in extraction, has seen every row.';
comment on column lapsewatch.accounts_at_risk.seen_at is 'The extraction that found it so first, or found it changed.';
