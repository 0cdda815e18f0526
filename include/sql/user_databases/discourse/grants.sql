-- Discourse keeps several addresses an account and no flag of any: the primary one is confirmed if the account is active.
-- It was confirmed when a token that was mailed to it came back. Secondary ones are not seen. Times are UTC without a
-- zone. Bots (their keys are negative), staged and suspended users and the shadows of those who post anonymously are left
-- alone.

-- A key is sent as text, and a text that is no key of this table finds nothing.
create function lapsewatch.read_key(given text) returns bigint immutable
return case when given ~ '^[0-9]{1,18}$' then cast(given as bigint) end;

create view lapsewatch.known_address as
select known.id as address_key,
       known.user_id as account_key,
       cast(known.email as text) as email,
       true as is_primary,
       account.active as is_verified,
       (
           select max(token.created_at) at time zone 'UTC'
           from public.email_tokens as token
           where token.user_id = known.user_id and token.confirmed and lower(token.email) = lower(known.email)
       ) as verified_at,
       jsonb_build_object() as was
from public.user_emails as known
join public.users as account on account.id = known.user_id
where known."primary"
  and account.id > 0
  and not account.staged
  and (account.suspended_till is null or account.suspended_till <= now() at time zone 'UTC')
  and not exists (select from public.anonymous_users as shadow where shadow.user_id = account.id);

-- Looked up account by account. Method 1 makes one-time passwords; a security key of type 0 is a second factor, others
-- are for logging in without a password.
create view lapsewatch.account as
select account.id as account_key,
       exists (
           select
           from public.user_second_factors as factor
           where factor.user_id = account.id and factor.method = 1 and factor.enabled
       ) or exists (
           select
           from public.user_security_keys as factor
           where factor.user_id = account.id and factor.factor_type = 0 and factor.enabled
       ) as has_second_factor,
       cast(null as bigint) as owned_count,
       cast(null as boolean) as owns_popular
from public.users as account;

-- These three run by the rights of their callers, the ledger's triggers, with the search path that the service's own
-- triggers expect. The account is locked first, as Discourse saves it first.
create function lapsewatch.lock_address(key bigint) returns void
begin atomic
    select from public.users where id = (select user_id from public.user_emails where id = key) for no key update;
    select from public.user_emails where id = key for no key update;
end;

-- Discourse deletes accounts that are not active, but not those that somebody has deactivated: action 39, by the system
-- user, says so in its own log, which staff reads.
create function lapsewatch.unverify_address(key bigint) returns void set search_path = public, pg_temp
begin atomic
    update public.users set active = false where id = (select user_id from public.user_emails where id = key);
    insert into public.user_histories (action, acting_user_id, target_user_id, context, details, created_at, updated_at)
    select 39, -1, user_id, 'lapsewatch', 'The domain of the address has lapsed.', at, at
    from public.user_emails, cast(now() at time zone 'UTC' as timestamp) as at
    where id = key;
end;

-- Whom somebody else has deactivated since stays so: another row of action 39 after ours says it. Ours goes only with what
-- it says.
create function lapsewatch.reverify_address(key bigint, was jsonb) returns void set search_path = public, pg_temp
begin atomic
    update public.users as account
    set active = true
    where account.id = (select user_id from public.user_emails where id = key)
      and not exists (
          select
          from public.user_histories as theirs
          where theirs.target_user_id = account.id
            and theirs.action = 39
            and theirs.id > coalesce(
                (
                    select max(ours.id)
                    from public.user_histories as ours
                    where ours.target_user_id = account.id and ours.context = 'lapsewatch'
                ),
                0
            )
      );
    delete from public.user_histories
    where id = (
        select max(ours.id)
        from public.user_histories as ours
        join public.users as account on account.id = ours.target_user_id and account.active
        where account.id = (select user_id from public.user_emails where id = key) and ours.context = 'lapsewatch'
    );
end;
