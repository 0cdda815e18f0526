-- A subset: the columns of Devise's generator for Active Record (lib/generators/active_record/devise_generator.rb), with
-- all that it has commented out, in a table users.
create table users (
    id bigserial primary key,
    email varchar not null default '',
    encrypted_password varchar not null default '',
    reset_password_token varchar,
    reset_password_sent_at timestamp(6),
    remember_created_at timestamp(6),
    sign_in_count integer not null default 0,
    current_sign_in_at timestamp(6),
    last_sign_in_at timestamp(6),
    current_sign_in_ip inet,
    last_sign_in_ip inet,
    confirmation_token varchar,
    confirmed_at timestamp(6),
    confirmation_sent_at timestamp(6),
    unconfirmed_email varchar,
    failed_attempts integer not null default 0,
    unlock_token varchar,
    locked_at timestamp(6),
    created_at timestamp(6) not null,
    updated_at timestamp(6) not null
);
create unique index index_users_on_email on users (email);
create unique index index_users_on_reset_password_token on users (reset_password_token);
create unique index index_users_on_confirmation_token on users (confirmation_token);
create unique index index_users_on_unlock_token on users (unlock_token);
