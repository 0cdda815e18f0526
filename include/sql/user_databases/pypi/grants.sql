-- What Lapsewatch may see and change in a user database of this profile: views that hold no address and no secret. The
-- roles have nothing on the tables. The owner of the database runs it once, and after every release
-- that changes it; to run it again is harmless. docs/privileges.md tells how. Times are UTC without a zone, as warehouse
-- keeps them.

-- Warehouse itself has not known since January 2024 which projects are critical (pull request 15131). Whoever knows may
-- say it here; while the list is empty, nobody is said to own something popular, or not to.
create table if not exists lapsewatch.popular_project (normalized_name text primary key);
comment on table lapsewatch.popular_project is 'The projects that count as popular, kept by the owner of this database.';
comment on column lapsewatch.popular_project.normalized_name is 'Name of the project, as in projects.normalized_name.';

drop view if exists
    lapsewatch.verified_email, lapsewatch.verified_address, lapsewatch.address, lapsewatch.address_evidence,
    lapsewatch.sole_address, lapsewatch.account;

-- A key is sent as text, and a text that is no key of this table finds nothing.
create or replace function lapsewatch.read_key(given text) returns bigint immutable
return case when given ~ '^[0-9]{1,18}$' then cast(given as bigint) end;

-- Behind a barrier the planner does not take every address's host for another one: it counts hosts in parallel.
create view lapsewatch.verified_email with (security_barrier) as
select lower(left(nullif(split_part(email, '@', -1), email), 255)) as host,
       octet_length(email) - octet_length(replace(email, '@', '')) as at_sign_count,
       starts_with(email, '"') as is_quoted
from public.user_emails
where verified;
comment on view lapsewatch.verified_email is 'One row a verified address: the host, and what it takes to set a malformed one aside. The local part stays where it is.';
comment on column lapsewatch.verified_email.host is 'What follows the last @, in lower case, its first 255 characters. Null: there is no @.';
comment on column lapsewatch.verified_email.at_sign_count is 'How many @ the address has.';
comment on column lapsewatch.verified_email.is_quoted is 'Whether it begins with a quote.';

-- Keeps the plan of a search by host: the times are looked up for the addresses that are found. One before 1970 or without
-- end is no time.
create view lapsewatch.verified_address as
select known.id as address_key,
       known.user_id as account_key,
       lower(nullif(split_part(known.email, '@', -1), known.email)) as host,
       octet_length(known.email) - octet_length(replace(known.email, '@', '')) = 1 and not starts_with(known.email, '"')
           as is_well_formed,
       known."primary" as is_primary,
       verification.verified_at at time zone 'UTC' as verified_at
from public.user_emails as known
left join lateral (
    select max(event.time) filter (where event.time > '1970-01-01' and event.time < '9999-01-01') as verified_at
    from public.user_events as event
    where event.source_id = known.user_id
      and event.tag = 'account:email:verified'
      and lower(event.additional ->> 'email') = lower(known.email)
) as verification on true
where known.verified;
comment on view lapsewatch.verified_address is 'One row a verified address: its keys, its host, and since when it is trusted.';
comment on column lapsewatch.verified_address.address_key is 'Key of the address: user_emails.id.';
comment on column lapsewatch.verified_address.account_key is 'Key of its account: users.id.';
comment on column lapsewatch.verified_address.host is 'What follows the last @, in lower case.';
comment on column lapsewatch.verified_address.is_well_formed is 'Whether it has one @ and does not begin with a quote.';
comment on column lapsewatch.verified_address.is_primary is 'Whether it is the account''s primary address.';
comment on column lapsewatch.verified_address.verified_at is 'When it was last verified, as far as events reach back. Null: nobody knows.';

-- For the changes, by key. Shows who is verified, and whom Lapsewatch, or warehouse for the same reason, has unverified.
-- The check option makes the step between the two the only change of standing there is: never another reason, never
-- somebody who was not verified before. The evidence of who is shown can be written over. A verified address may carry a reason of old, if an administrator verified it by hand, and must
-- not escape a lapse by it: the last condition shows it as it was before the statement, so that no update makes one.
create view lapsewatch.address as
select known.id as address_key,
       known.user_id as account_key,
       lower(nullif(split_part(known.email, '@', -1), known.email)) as host,
       octet_length(known.email) - octet_length(replace(known.email, '@', '')) = 1 and not starts_with(known.email, '"')
           as is_well_formed,
       known."primary" as is_primary,
       known.verified,
       known.unverify_reason,
       known.domain_last_checked,
       known.domain_last_status,
       (
           select max(event.time) filter (where event.time > '1970-01-01' and event.time < '9999-01-01')
               at time zone 'UTC'
           from public.user_events as event
           where event.source_id = known.user_id
             and event.tag = 'account:email:verified'
             and lower(event.additional ->> 'email') = lower(known.email)
       ) as verified_at
from public.user_emails as known
where known.verified and known.unverify_reason is null
   or not known.verified and known.unverify_reason = 'domain status invalid'
   or known.verified
      and known.unverify_reason = (select was.unverify_reason from public.user_emails as was
                                   where was.id = known.id and was.verified)
with local check option;
comment on view lapsewatch.address is 'One row an address that is verified, or not any more because its domain has lapsed. Through it, its standing can only make the step between these two, and its evidence can be set.';
comment on column lapsewatch.address.address_key is 'Key of the address: user_emails.id.';
comment on column lapsewatch.address.account_key is 'Key of its account: users.id.';
comment on column lapsewatch.address.host is 'What follows the last @, in lower case.';
comment on column lapsewatch.address.is_well_formed is 'Whether it has one @ and does not begin with a quote.';
comment on column lapsewatch.address.is_primary is 'Whether it is the account''s primary address.';
comment on column lapsewatch.address.verified is 'Whether it is trusted.';
comment on column lapsewatch.address.unverify_reason is 'Why it is not: domain status invalid. A verified one may have an old reason.';
comment on column lapsewatch.address.domain_last_checked is 'When the evidence was seen on which it was last unverified, or when warehouse last checked its domain.';
comment on column lapsewatch.address.domain_last_status is 'The flags of that evidence.';
comment on column lapsewatch.address.verified_at is 'When it was last verified, as far as events reach back. Null: nobody knows.';

create view lapsewatch.address_evidence as
select id as address_key, domain_last_checked, domain_last_status
from public.user_emails
where domain_last_checked is not null;
comment on view lapsewatch.address_evidence is 'On what evidence each address was last judged, whatever became of it since.';
comment on column lapsewatch.address_evidence.address_key is 'Key of the address: user_emails.id.';
comment on column lapsewatch.address_evidence.domain_last_checked is 'When that evidence was seen.';
comment on column lapsewatch.address_evidence.domain_last_status is 'Its flags.';

create view lapsewatch.sole_address as
select user_id as account_key, min(id) as address_key, left(min(lower(nullif(split_part(email, '@', -1), email))), 255) as host
from public.user_emails
where verified
group by user_id
having count(*) = 1
   and bool_and(octet_length(email) - octet_length(replace(email, '@', '')) = 1 and not starts_with(email, '"'));
comment on view lapsewatch.sole_address is 'One row an account that has one verified address only, if it is a well-formed one.';
comment on column lapsewatch.sole_address.account_key is 'Key of the account: users.id.';
comment on column lapsewatch.sole_address.address_key is 'Key of the address: user_emails.id.';
comment on column lapsewatch.sole_address.host is 'What follows the @, in lower case, its first 255 characters.';

-- Looked up account by account: that takes as long as there are accounts, whatever the planner thinks of a join.
create view lapsewatch.account as
select account.id as account_key,
       account.totp_secret is not null
           or exists (select from public.user_security_keys as security_key where security_key.user_id = account.id)
           as has_second_factor,
       (select count(*) from public.roles as role where role.user_id = account.id) as owned_count,
       case
           when exists (select from lapsewatch.popular_project) then exists (
               select
               from public.roles as role
               join public.projects as project on project.id = role.project_id
               join lapsewatch.popular_project as popular on popular.normalized_name = project.normalized_name
               where role.user_id = account.id
           )
       end as owns_popular
from public.users as account;
comment on view lapsewatch.account is 'One row an account: how well it is protected, and what depends on it.';
comment on column lapsewatch.account.account_key is 'Key of the account: users.id.';
comment on column lapsewatch.account.has_second_factor is 'Whether it has a one-time password generator or a security key.';
comment on column lapsewatch.account.owned_count is 'How many projects it owns or maintains by a role of its own; those of an organization or a team are not counted.';
comment on column lapsewatch.account.owns_popular is 'Whether one of them is in popular_project. Null: that list is empty.';

grant usage on schema lapsewatch to lapsewatch_reader;
revoke all on function lapsewatch.read_key from public;
grant execute on function lapsewatch.read_key to lapsewatch_unverifier;
grant select on lapsewatch.verified_email, lapsewatch.sole_address, lapsewatch.account to lapsewatch_reader;
grant select on lapsewatch.verified_address, lapsewatch.address, lapsewatch.address_evidence to lapsewatch_unverifier;
grant update (verified, unverify_reason, domain_last_checked, domain_last_status)
    on lapsewatch.address to lapsewatch_unverifier;

reset search_path;
