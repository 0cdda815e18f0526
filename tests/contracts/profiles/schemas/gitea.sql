-- A subset: the tables that hold users, their addresses, second factors and repositories, of go-gitea/gitea
-- (models/user/email_address.go and user.go as of 2025, models/auth), as xorm makes them on PostgreSQL. Forgejo's are the
-- same as far as the profile reads them.
create table "user" (
    id bigserial primary key,
    lower_name varchar(255) not null unique,
    name varchar(255) not null unique,
    full_name varchar(255),
    email varchar(255) not null,
    keep_email_private boolean,
    email_notifications_preference varchar(20) not null default 'enabled',
    passwd varchar(255) not null,
    passwd_hash_algo varchar(255) not null default 'argon2',
    must_change_password boolean not null default false,
    login_type integer,
    login_source bigint not null default 0,
    login_name varchar(255),
    type integer,
    rands varchar(32),
    salt varchar(32),
    created_unix bigint,
    updated_unix bigint,
    last_login_unix bigint,
    is_active boolean,
    is_admin boolean,
    is_restricted boolean not null default false,
    prohibit_login boolean not null default false,
    num_followers integer,
    num_stars integer,
    num_repos integer
);
create index "IDX_user_is_active" on "user" (is_active);
create table email_address (
    id bigserial primary key,
    uid bigint not null,
    email varchar(255) not null unique,
    lower_email varchar(255) not null unique,
    is_activated boolean,
    is_primary boolean not null default false
);
create index "IDX_email_address_uid" on email_address (uid);
create table two_factor (
    id bigserial primary key,
    uid bigint unique,
    secret varchar(255),
    scratch_salt varchar(255),
    scratch_hash varchar(255),
    last_used_passcode varchar(10),
    created_unix bigint,
    updated_unix bigint
);
create table webauthn_credential (
    id bigserial primary key,
    name varchar(255),
    lower_name varchar(255),
    user_id bigint,
    credential_id bytea,
    public_key bytea,
    created_unix bigint,
    updated_unix bigint,
    unique (lower_name, user_id)
);
create index "IDX_webauthn_credential_user_id" on webauthn_credential (user_id);
create table repository (
    id bigserial primary key,
    owner_id bigint,
    lower_name varchar(255) not null,
    name varchar(255) not null,
    num_stars integer,
    unique (owner_id, lower_name)
);
