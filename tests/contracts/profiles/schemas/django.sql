-- What a project adds to the table that Django's own migrations make.
alter table auth_user
    add column email_verified boolean not null default false,
    add column email_verified_at timestamptz;
