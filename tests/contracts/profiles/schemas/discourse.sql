-- A subset: columns and indexes of Discourse's tables (discourse/discourse, app/models and their annotations, 2020 to
-- 2025).
create table users (
    id serial primary key,
    username varchar(60) not null unique,
    created_at timestamp not null,
    updated_at timestamp not null,
    name varchar,
    active boolean not null default false,
    username_lower varchar(60) not null unique,
    last_seen_at timestamp,
    admin boolean not null default false,
    trust_level integer not null,
    approved boolean not null default false,
    suspended_at timestamp,
    suspended_till timestamp,
    silenced_till timestamp,
    moderator boolean default false,
    staged boolean not null default false,
    first_seen_at timestamp
);
create table user_emails (
    id serial primary key,
    user_id integer not null,
    email varchar(513) not null,
    "primary" boolean not null default false,
    created_at timestamp not null,
    updated_at timestamp not null,
    normalized_email varchar
);
create unique index index_user_emails_on_email on user_emails (lower(email::text));
create index index_user_emails_on_normalized_email on user_emails (lower(normalized_email::text));
create index index_user_emails_on_user_id on user_emails (user_id);
create unique index index_user_emails_on_user_id_and_primary on user_emails (user_id, "primary") where "primary";
create table email_tokens (
    id serial primary key,
    user_id integer not null,
    email varchar not null,
    token varchar,
    confirmed boolean not null default false,
    expired boolean not null default false,
    created_at timestamp not null,
    updated_at timestamp not null,
    token_hash varchar not null unique,
    scope integer
);
create index index_email_tokens_on_user_id on email_tokens (user_id);
create table anonymous_users (
    id bigserial primary key,
    user_id integer not null,
    master_user_id integer not null,
    active boolean not null,
    created_at timestamp not null,
    updated_at timestamp not null
);
create unique index index_anonymous_users_on_user_id on anonymous_users (user_id);
create unique index index_anonymous_users_on_master_user_id on anonymous_users (master_user_id) where active;
create table user_second_factors (
    id bigserial primary key,
    user_id integer not null,
    method integer not null,
    data varchar not null,
    enabled boolean not null default false,
    last_used timestamp,
    created_at timestamp not null,
    updated_at timestamp not null
);
create index index_user_second_factors_on_user_id on user_second_factors (user_id);
create table user_security_keys (
    id bigserial primary key,
    user_id bigint not null references users (id),
    credential_id varchar not null unique,
    public_key varchar not null,
    factor_type integer not null default 0,
    enabled boolean not null default true,
    name varchar(300) not null,
    last_used timestamp,
    created_at timestamp not null,
    updated_at timestamp not null
);
create index index_user_security_keys_on_user_id on user_security_keys (user_id);
create table user_histories (
    id serial primary key,
    action integer not null,
    acting_user_id integer,
    target_user_id integer,
    details text,
    created_at timestamp not null,
    updated_at timestamp not null,
    context varchar,
    admin_only boolean default false
);
create index index_user_histories_on_target_user_id_and_id on user_histories (target_user_id, id);
create table posts (id serial primary key, user_id integer, topic_id integer not null, created_at timestamp not null);
