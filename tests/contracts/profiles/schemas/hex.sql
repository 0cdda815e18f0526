-- A subset: the tables that hold users, their addresses, resets of passwords and packages, of priv/repo/structure.sql of
-- hexpm/hexpm, commit 9d66d6fed1bd (2023). users.username is citext there. What users.tfa holds is the migration's
-- CleanupTfaFields (2025-12): a secret and codes for recovery, or nothing. Keys are hashed since 2026.
create table users (
    id serial primary key,
    username text not null,
    password text,
    inserted_at timestamp not null default (now() at time zone 'UTC'),
    updated_at timestamp not null default (now() at time zone 'UTC'),
    full_name text,
    handles jsonb,
    service boolean default false,
    organization_id bigint,
    deactivated_at timestamp(0),
    tfa jsonb,
    role varchar(255) default 'basic'
);
create unique index users_username_idx on users (username);
create unique index users_organization_id_index on users (organization_id);
create table emails (
    id serial primary key,
    email varchar(255) not null,
    verified boolean not null,
    "primary" boolean not null,
    public boolean not null,
    user_id integer not null references users (id) on delete cascade,
    inserted_at timestamp not null default (now() at time zone 'UTC'),
    updated_at timestamp not null default (now() at time zone 'UTC'),
    gravatar boolean not null default false,
    verification_expiry timestamp,
    verification_key_hash bytea
);
create unique index emails_email_key on emails (email) where (verified = true);
create unique index emails_email_user_key on emails (email, user_id);
create unique index emails_user_id_case_idx on emails (user_id, (case when "primary" then true else null::boolean end));
create unique index emails_user_id_case_idx1 on emails (user_id, (case when public then true else null::boolean end));
create table password_resets (
    id bigserial primary key,
    primary_email varchar(255) not null,
    user_id bigint,
    inserted_at timestamp not null,
    key_hash bytea not null
);
create index password_resets_user_id_index on password_resets (user_id);
create table packages (
    id serial primary key,
    name varchar(255) not null,
    meta jsonb not null default '{}',
    inserted_at timestamp not null default now(),
    updated_at timestamp not null default now(),
    docs_updated_at timestamp,
    repository_id integer not null
);
create table releases (
    id serial primary key,
    package_id integer not null references packages (id),
    version varchar(255) not null,
    unique (package_id, version)
);
create table package_owners (
    id serial primary key,
    package_id integer not null references packages (id) on delete cascade,
    user_id integer not null references users (id) on delete cascade,
    level varchar(255) not null default 'full',
    inserted_at timestamp,
    updated_at timestamp,
    constraint package_owners_unique unique (package_id, user_id)
);
create index package_owners_user_id_index on package_owners (user_id);
create table downloads (
    id serial primary key,
    release_id integer not null,
    downloads integer not null,
    day date not null,
    package_id bigint not null references packages (id) on delete cascade
);
create index downloads_day_idx on downloads (day);
create index downloads_package_id_index on downloads (package_id);
create index downloads_release_id_idx on downloads (release_id);
create materialized view package_downloads as
select r.package_id, v.view, sum(d.downloads) as downloads
from downloads as d
join releases as r on r.id = d.release_id
cross join (values ('day'::text), ('week'::text), ('recent'::text), ('all'::text)) as v (view)
where case
          when v.view = 'day' then d.day = current_date - interval '1 day'
          when v.view = 'week' then d.day >= current_date - interval '7 days' and d.day <= current_date - interval '1 day'
          when v.view = 'recent'
              then d.day >= current_date - interval '90 days' and d.day <= current_date - interval '1 day'
          when v.view = 'all' then true
      end
group by r.package_id, v.view
union
select null::integer, 'all'::text, sum(d.downloads)
from downloads as d;
create unique index package_downloads_package_id_view_idx on package_downloads (package_id, view);
create index package_downloads_view_index on package_downloads (view);
