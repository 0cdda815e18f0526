-- GoTrue keeps one address an account, and when it was first confirmed: that is the flag too. Two copies of it, for
-- applications to read, are in JSON: of the user, and of its identity of the provider email. Deleted, banned and
-- anonymous users are left alone, and those of single sign-on, whose own directory answers for them. It is run by a
-- hosted project's role postgres, which may not create anything in the schema auth, but may elsewhere.

-- A key is sent as text, and a text that is no key of this table finds nothing.
create function lapsewatch.read_key(given text) returns uuid immutable
return case when given ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then cast(given as uuid) end;

create view lapsewatch.known_address as
select account.id as address_key,
       account.id as account_key,
       cast(account.email as text) as email,
       true as is_primary,
       account.email_confirmed_at is not null as is_verified,
       account.email_confirmed_at as verified_at,
       jsonb_build_object(
           'email_confirmed_at', account.email_confirmed_at,
           'is_flagged', account.raw_user_meta_data @> '{"email_verified": true}',
           'flagged_identities', (
               select jsonb_agg(identity.id)
               from auth.identities as identity
               where identity.user_id = account.id
                 and identity.provider = 'email'
                 and identity.identity_data @> '{"email_verified": true}'
           )
       ) as was
from auth.users as account
where account.deleted_at is null
  and (account.banned_until is null or account.banned_until <= now())
  and not account.is_anonymous
  and not account.is_sso_user;

-- Looked up account by account. Codes for recovery are kept as a factor; they alone are none.
create view lapsewatch.account as
select account.id as account_key,
       exists (
           select
           from auth.mfa_factors as factor
           where factor.user_id = account.id
             and factor.status = 'verified'
             and cast(factor.factor_type as text) <> 'recovery_codes'
       ) as has_second_factor,
       cast(null as bigint) as owned_count,
       cast(null as boolean) as owns_popular
from auth.users as account;

-- These three run by the rights of their callers, the ledger's triggers, with the search path that the service's own
-- triggers expect. Tokens that were mailed stay: their secrets could not be given back, and a new one is mailed to whoever
-- asks for it.
create function lapsewatch.lock_address(key uuid) returns void
begin atomic
    select from auth.users where id = key for no key update;
    select from auth.identities where user_id = key order by id for no key update;
end;

create function lapsewatch.unverify_address(key uuid) returns void set search_path = auth, pg_temp
begin atomic
    update auth.users
    set email_confirmed_at = null,
        raw_user_meta_data = case
            when raw_user_meta_data @> '{"email_verified": true}' then raw_user_meta_data || '{"email_verified": false}'
            else raw_user_meta_data
        end
    where id = key;
    update auth.identities
    set identity_data = identity_data || '{"email_verified": false}'
    where user_id = key and provider = 'email' and identity_data @> '{"email_verified": true}';
end;

create function lapsewatch.reverify_address(key uuid, was jsonb) returns void set search_path = auth, pg_temp
begin atomic
    update auth.users
    set email_confirmed_at = cast(was ->> 'email_confirmed_at' as timestamptz),
        raw_user_meta_data = case
            when cast(was ->> 'is_flagged' as boolean) then raw_user_meta_data || '{"email_verified": true}'
            else raw_user_meta_data
        end
    where id = key;
    update auth.identities
    set identity_data = identity_data || '{"email_verified": true}'
    where user_id = key and was -> 'flagged_identities' @> to_jsonb(id);
end;
