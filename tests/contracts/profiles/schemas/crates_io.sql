-- A subset: the tables that hold users, their addresses and crates, of rust-lang/crates.io as of 2026-08
-- (crates/crates_io_database/src/schema.rs at b8306ac9ade3, less what users has lost since to oauth_github: the avatar and
-- the token), with the triggers on emails of its migrations.
create function random_string(integer) returns text as $$
    select array_to_string(
        array(
            select substr(
                'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', floor(random() * 62)::int + 1, 1
            )
            from generate_series(1, $1)
        ),
        ''
    )
$$ language sql;
create table users (
    id serial primary key,
    name varchar,
    gh_id integer not null,
    gh_login varchar not null,
    account_lock_reason varchar,
    account_lock_until timestamptz,
    is_admin boolean not null default false,
    publish_notifications boolean not null default true,
    username varchar not null,
    created_at timestamptz
);
create unique index users_gh_id on users (gh_id) where gh_id > 0;
create index index_users_gh_login on users (lower(gh_login::text));
create table emails (
    id serial primary key,
    user_id integer not null unique references users (id),
    email varchar not null,
    verified boolean not null default false,
    token text not null default random_string(26),
    token_generated_at timestamptz
);
create function emails_set_token_generated_at() returns trigger as $$
begin
    new.token_generated_at := current_timestamp;
    return new;
end
$$ language plpgsql;
create function reconfirm_email_on_email_change() returns trigger as $$
begin
    if new.email is distinct from old.email then
        new.token := random_string(26);
        new.verified := false;
    end if;
    return new;
end
$$ language plpgsql;
create trigger trigger_emails_set_token_generated_at before insert or update of token on emails
for each row execute procedure emails_set_token_generated_at();
create trigger trigger_emails_reconfirm before update on emails
for each row execute procedure reconfirm_email_on_email_change();
create table crates (
    id serial primary key,
    name varchar not null unique,
    updated_at timestamptz not null default now(),
    created_at timestamptz not null default now()
);
create table crate_owners (
    crate_id integer not null references crates (id),
    owner_id integer not null,
    owner_kind integer not null,
    created_at timestamptz not null default now(),
    created_by integer,
    deleted boolean not null default false,
    updated_at timestamptz not null default now(),
    email_notifications boolean not null default true,
    primary key (crate_id, owner_id, owner_kind)
);
create unique index crate_owners_not_deleted on crate_owners (crate_id, owner_id, owner_kind) where not deleted;
create table crate_downloads (
    crate_id integer primary key references crates (id) on delete cascade,
    downloads bigint not null default 0
);
