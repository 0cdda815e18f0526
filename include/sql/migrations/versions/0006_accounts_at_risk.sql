create table lapsewatch.account_at_risk (
    account_key        text primary key,
    address_key        text not null,
    host               text not null,
    domain             text not null references lapsewatch.domain_status (domain),
    has_second_factor  boolean,
    owned_count        bigint,
    owns_popular       boolean,
    seen_at            timestamptz not null
);
create index account_at_risk_domain on lapsewatch.account_at_risk (domain);
comment on table lapsewatch.account_at_risk is 'Accounts whose only verified address is on a custom domain: whoever gets the domain gets the account. Where the profile can tell.';
comment on column lapsewatch.account_at_risk.account_key is 'The account''s key in the user database.';
comment on column lapsewatch.account_at_risk.address_key is 'The key of its only verified address.';
comment on column lapsewatch.account_at_risk.host is 'The host of that address.';
comment on column lapsewatch.account_at_risk.domain is 'Its registrable domain.';
comment on column lapsewatch.account_at_risk.has_second_factor is 'Whether the account has a second factor. Null: the profile can''t tell.';
comment on column lapsewatch.account_at_risk.owned_count is 'How many things the account may publish or own. Null: the profile can''t tell.';
comment on column lapsewatch.account_at_risk.owns_popular is 'Whether one of them is popular. Null: the profile can''t tell.';
comment on column lapsewatch.account_at_risk.seen_at is 'The last run that found it so.';
