alter table lapsewatch.domain_status add column expired_since timestamptz;
create index domain_status_expired_since on lapsewatch.domain_status (expired_since) where expired_since is not null;
comment on column lapsewatch.domain_status.expired_since is 'When the domain was first read as expired in its present expiry. It stays in redemption and through silence, until the registry says that it is renewed, registered anew or gone. Null: it has not expired.';

create table lapsewatch.notification (
    notification_id  uuid primary key default gen_random_uuid(),
    kind             text not null check (kind in ('domain_expiring', 'address_unverified', 'single_address')),
    event_key        text not null,
    account_key      text not null,
    domain           text not null,
    payload          jsonb not null,
    subject          text not null,
    body             text not null,
    run_id           text not null,
    created_at       timestamptz not null,
    sent_at          timestamptz,
    withdrawn_at     timestamptz,
    attempt_count    integer not null default 0,
    attempted_at     timestamptz,
    error            text,
    unique (kind, event_key)
);
create index notification_unsent on lapsewatch.notification (attempt_count, created_at)
    where sent_at is null and withdrawn_at is null;
create index notification_account on lapsewatch.notification (account_key, kind, created_at);
create index notification_expiry on lapsewatch.notification ((payload ->> 'address_key'), created_at)
    where kind = 'domain_expiring';
create index notification_domain on lapsewatch.notification (domain);
create index notification_run_id on lapsewatch.notification (run_id);

comment on table lapsewatch.notification is 'The outbox: what people are to be told, one row an event. The service''s own mailer reads it; Lapsewatch sends no mail.';
comment on column lapsewatch.notification.notification_id is 'Stays the same however often it is delivered: the key to tell a repetition by.';
comment on column lapsewatch.notification.kind is 'domain_expiring, address_unverified or single_address.';
comment on column lapsewatch.notification.event_key is 'Which event it is about: never two rows of a kind for one. Of single_address the account and how often it was advised before, otherwise as lapsewatch.event_key() says.';
comment on column lapsewatch.notification.account_key is 'The account''s key in the user database.';
comment on column lapsewatch.notification.domain is 'The domain that it is about.';
comment on column lapsewatch.notification.payload is 'What there is to tell, as docs/notifications.md describes it: keys, never addresses.';
comment on column lapsewatch.notification.subject is 'A subject in words.';
comment on column lapsewatch.notification.body is 'A text in words.';
comment on column lapsewatch.notification.run_id is 'The Airflow run that wrote it.';
comment on column lapsewatch.notification.created_at is 'When it was written.';
comment on column lapsewatch.notification.sent_at is 'Set by who delivers it: the mailer, or the webhook. Null: not delivered yet.';
comment on column lapsewatch.notification.withdrawn_at is 'When it became untrue before it was sent, as by an undo, or was given up by a person: it is not to be sent any more.';
comment on column lapsewatch.notification.attempt_count is 'How often the webhook was tried: each time up to three calls.';
comment on column lapsewatch.notification.attempted_at is 'When the webhook was last tried.';
comment on column lapsewatch.notification.error is 'Why the webhook''s last attempt failed, in one line.';

create function lapsewatch.event_key(address_key text, domain text, since timestamptz) returns text
language sql stable as $$
    select concat_ws(
        '|', address_key, domain,
        to_char(since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
            || case when date_trunc('second', since) = since then '' else to_char(since, '.US') end
            || '+00:00'
    )
$$;
comment on function lapsewatch.event_key is 'What names an event of an address: its key, the domain, and since when (ISO 8601, UTC, without a fraction where it is zero).';

create index address_unverification_settled on lapsewatch.address_unverification (settled_at, address_key, domain, lapsed_at)
    where state = 'unverified';

alter table lapsewatch.run_metrics
    add column notification_count  jsonb not null default '{}',
    add column undelivered_count   bigint;
comment on column lapsewatch.run_metrics.notification_count is 'Notifications that the run wrote, by kind.';
comment on column lapsewatch.run_metrics.undelivered_count is 'Notifications of the last 30 days that the webhook has not taken yet. Null: there is no webhook.';
