-- A subset: columns and indexes of GitLab's tables (gitlabhq/gitlabhq, db/structure.sql at 0016ea05).
create table users (
    id bigserial primary key,
    email varchar not null default '',
    encrypted_password varchar not null default '',
    reset_password_token varchar,
    reset_password_sent_at timestamp,
    created_at timestamp,
    updated_at timestamp,
    name varchar,
    admin boolean not null default false,
    projects_limit integer not null,
    failed_attempts integer default 0,
    locked_at timestamp,
    username varchar,
    state varchar,
    confirmation_token varchar,
    confirmed_at timestamp,
    confirmation_sent_at timestamp,
    unconfirmed_email varchar,
    password_automatically_set boolean default false,
    otp_required_for_login boolean not null default false,
    external boolean default false,
    last_activity_on date,
    user_type smallint default 0,
    constraint check_0dd5948e38 check (user_type is not null)
);
create unique index index_users_on_email on users (email);
create unique index index_users_on_confirmation_token on users (confirmation_token);
create table emails (
    id bigserial primary key,
    user_id bigint not null references users (id) on delete cascade,
    email varchar not null,
    created_at timestamp,
    updated_at timestamp,
    confirmation_token varchar,
    confirmed_at timestamp,
    confirmation_sent_at timestamp,
    detumbled_email text,
    constraint check_319f6999dc check (char_length(detumbled_email) <= 255)
);
create unique index index_emails_on_email on emails (email);
create unique index index_emails_on_confirmation_token on emails (confirmation_token);
create index index_emails_on_created_at_where_confirmed_at_is_null on emails (created_at) where confirmed_at is null;
create index index_emails_on_user_id on emails (user_id);
create table webauthn_registrations (
    id bigserial primary key,
    user_id bigint not null,
    counter bigint not null default 0,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    credential_xid text not null,
    name text not null,
    public_key text not null
);
create index index_webauthn_registrations_on_user_id on webauthn_registrations (user_id);
create table project_authorizations (
    user_id bigint not null,
    project_id bigint not null,
    access_level integer not null,
    is_unique boolean,
    primary key (user_id, project_id, access_level)
);
create table projects (id bigserial primary key, name varchar, star_count integer not null default 0);
