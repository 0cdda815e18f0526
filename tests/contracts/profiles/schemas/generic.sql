-- Nobody's schema: a table of accounts as home-grown registries have it.
create table accounts (
    id bigint generated always as identity primary key,
    name text not null unique,
    email text,
    email_verified boolean not null default false,
    email_verified_at timestamptz,
    two_factor text not null default 'none' check (two_factor in ('none', 'auth-only', 'auth-and-writes')),
    is_bot boolean not null default false,
    banned_at timestamptz,
    deleted_at timestamptz,
    created_at timestamptz not null default now()
);
create unique index accounts_email on accounts (lower(email)) where deleted_at is null;
create table package_maintainers (
    package text not null,
    account_id bigint not null references accounts (id),
    primary key (package, account_id)
);
create index package_maintainers_account on package_maintainers (account_id);
create table package_downloads (package text primary key, last_month bigint not null);
