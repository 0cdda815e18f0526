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

-- A domain that was never checked is watched only because nothing is known of it: that is no trouble yet.
create view lapsewatch.accounts_at_risk as
select rank() over (
           order by case
                        when status.lapsed_at is not null or status.verdict = 'unverify' then 1
                        when status.expired_since is not null then 2
                        when status.verdict = 'watch' and status.checked_at is not null then 2
                        else 3
                    end,
                    risk.owns_popular desc nulls last,
                    risk.has_second_factor nulls last,
                    risk.owned_count desc nulls last
       ) as risk_rank,
       risk.account_key, risk.address_key, risk.host, risk.domain,
       status.phase, status.verdict, status.expires_at, status.expired_since, status.lapsed_at,
       risk.has_second_factor, risk.owned_count, risk.owns_popular, risk.seen_at
from lapsewatch.account_at_risk as risk
join lapsewatch.domain_status as status using (domain);
comment on view lapsewatch.accounts_at_risk is 'Accounts whose only verified address is on a custom domain, with what is known of the domain: for analysts, most pressing first by risk_rank.';
comment on column lapsewatch.accounts_at_risk.risk_rank is '1 is the most pressing; equals share a rank. First come accounts whose domain has lapsed, then those whose domain is expired or watched; among equals who owns something popular, then who has no second factor, then who owns most. What the profile can''t tell counts as less pressing.';
comment on column lapsewatch.accounts_at_risk.account_key is 'The account''s key in the user database.';
comment on column lapsewatch.accounts_at_risk.address_key is 'The key of its only verified address.';
comment on column lapsewatch.accounts_at_risk.host is 'The host of that address.';
comment on column lapsewatch.accounts_at_risk.domain is 'Its registrable domain.';
comment on column lapsewatch.accounts_at_risk.phase is 'Stage of the domain''s registration, as in domain_status.';
comment on column lapsewatch.accounts_at_risk.verdict is 'keep, watch or unverify, as in domain_status.';
comment on column lapsewatch.accounts_at_risk.expires_at is 'The registry''s expiry date of the domain.';
comment on column lapsewatch.accounts_at_risk.expired_since is 'Since when the domain is read as expired. Null: it is not.';
comment on column lapsewatch.accounts_at_risk.lapsed_at is 'The newest lapse of the domain that is still open. Null: there is none.';
comment on column lapsewatch.accounts_at_risk.has_second_factor is 'Whether the account has a second factor. Null: the profile can''t tell.';
comment on column lapsewatch.accounts_at_risk.owned_count is 'How many things the account may publish or own. Null: the profile can''t tell.';
comment on column lapsewatch.accounts_at_risk.owns_popular is 'Whether one of them is popular. Null: the profile can''t tell.';
comment on column lapsewatch.accounts_at_risk.seen_at is 'The last run that found it so.';
