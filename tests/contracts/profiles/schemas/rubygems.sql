-- A subset: the tables that hold users, their addresses, second factors, events and gems, of db/schema.rb of
-- rubygems/rubygems.org, version 2024_05_22_185717 (commit 001e92d4f5e8), with what migrations since have added to them:
-- memberships (20240630025804), rubygems.organization_id, and the tokens of users (2026).
create table users (
    id serial primary key,
    email varchar,
    encrypted_password varchar(128),
    salt varchar(128),
    token varchar(128),
    token_expires_at timestamp,
    email_confirmed boolean not null default false,
    api_key varchar,
    confirmation_token varchar(128),
    remember_token varchar(128),
    created_at timestamp,
    updated_at timestamp,
    email_reset boolean,
    handle varchar,
    hide_email boolean default true,
    twitter_username varchar,
    unconfirmed_email varchar,
    remember_token_expires_at timestamp,
    mfa_level integer default 0,
    mail_fails integer default 0,
    blocked_email varchar,
    webauthn_id varchar,
    full_name varchar,
    totp_seed varchar,
    mfa_hashed_recovery_codes varchar[] default '{}',
    public_email boolean not null default false,
    deleted_at timestamp(6),
    password_reset_token_digest varchar,
    password_reset_token_expires_at timestamp(6),
    email_confirmation_token_digest varchar,
    email_confirmation_token_expires_at timestamp(6),
    email_confirmation_email varchar
);
create index index_users_on_email on users (email);
create index index_users_on_lower_email on users (lower(email::text) varchar_pattern_ops);
create index index_users_on_handle on users (handle);
create index index_users_on_id_and_confirmation_token on users (id, confirmation_token);
create unique index index_users_on_webauthn_id on users (webauthn_id);
create table webauthn_credentials (
    id bigserial primary key,
    user_id bigint not null,
    external_id varchar not null unique,
    public_key varchar not null,
    nickname varchar not null,
    sign_count bigint not null default 0,
    created_at timestamp(6) not null,
    updated_at timestamp(6) not null
);
create index index_webauthn_credentials_on_user_id on webauthn_credentials (user_id);
create table events_user_events (
    id bigserial primary key,
    tag varchar not null,
    trace_id varchar,
    user_id bigint not null references users (id),
    ip_address_id bigint,
    geoip_info_id bigint,
    additional jsonb,
    created_at timestamp(6) not null,
    updated_at timestamp(6) not null
);
create index index_events_user_events_on_tag on events_user_events (tag);
create index index_events_user_events_on_user_id on events_user_events (user_id);
create table rubygems (
    id serial primary key,
    name varchar unique,
    created_at timestamp,
    updated_at timestamp,
    indexed boolean not null default false,
    organization_id bigint
);
create index index_rubygems_on_organization_id on rubygems (organization_id);
create table memberships (
    id bigserial primary key,
    user_id bigint not null references users (id),
    organization_id bigint not null,
    confirmed_at timestamp(6),
    created_at timestamp(6) not null,
    updated_at timestamp(6) not null,
    role integer not null default 50
);
create index index_memberships_on_user_id on memberships (user_id);
create index index_memberships_on_organization_id on memberships (organization_id);
create unique index index_memberships_on_user_id_and_organization_id on memberships (user_id, organization_id);
create table ownerships (
    id serial primary key,
    rubygem_id integer,
    user_id integer references users (id) on delete cascade,
    token varchar,
    created_at timestamp,
    updated_at timestamp,
    push_notifier boolean not null default true,
    confirmed_at timestamp,
    token_expires_at timestamp,
    owner_notifier boolean not null default true,
    authorizer_id integer,
    ownership_request_notifier boolean not null default true
);
create index index_ownerships_on_rubygem_id on ownerships (rubygem_id);
create unique index index_ownerships_on_user_id_and_rubygem_id on ownerships (user_id, rubygem_id);
create table gem_downloads (
    id serial primary key,
    rubygem_id integer not null,
    version_id integer not null,
    count bigint
);
create unique index index_gem_downloads_on_rubygem_id_and_version_id on gem_downloads (rubygem_id, version_id);
