-- A user database in PyPI's schema: the subset of warehouse's tables and columns that tells of e-mail addresses, and of
-- what depends on them (warehouse/accounts/models.py at 958c9f191abb; the domain's status is of migration 465f004c9562,
-- 2025-04-03).
-- Times are UTC without a zone, as warehouse keeps them.

-- With what others have built on them, such as views.
DROP TABLE IF EXISTS
    public.roles, public.projects, public.user_security_keys, public.user_events, public.user_emails, public.users
    CASCADE;
DROP TYPE IF EXISTS public.unverifyreasons;

CREATE TYPE public.unverifyreasons AS ENUM (
    'spam complaint',
    'hard bounce',
    'soft bounce',
    'domain status invalid'
);

CREATE TABLE public.users (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    username    text NOT NULL,    -- citext in warehouse; not every PostgreSQL ships that extension
    name        varchar(100) NOT NULL,
    is_active   boolean NOT NULL DEFAULT false,
    date_joined timestamp DEFAULT now(),
    totp_secret bytea,    -- length(20) in warehouse's code
    CONSTRAINT users_username_key UNIQUE (username),
    CONSTRAINT users_valid_username_length CHECK (length(username) <= 50),
    CONSTRAINT users_valid_username CHECK (username ~* '^([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])$')
);

CREATE TABLE public.user_emails (
    id                  serial PRIMARY KEY,
    user_id             uuid NOT NULL REFERENCES public.users (id) DEFERRABLE INITIALLY DEFERRED,
    email               text NOT NULL,    -- varchar(254) in warehouse; old data may hold longer ones
    "primary"           boolean NOT NULL,
    verified            boolean NOT NULL,
    public              boolean NOT NULL DEFAULT false,
    unverify_reason     public.unverifyreasons,
    transient_bounces   integer NOT NULL DEFAULT 0,
    domain_last_checked timestamp,
    domain_last_status  text[],
    CONSTRAINT user_emails_email_key UNIQUE (email)
);

CREATE INDEX user_emails_user_id ON public.user_emails (user_id);
CREATE INDEX ix_user_emails_domain_last_checked ON public.user_emails (domain_last_checked);

CREATE TABLE public.user_events (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    source_id  uuid NOT NULL REFERENCES public.users (id) DEFERRABLE INITIALLY DEFERRED,
    tag        varchar NOT NULL,
    time       timestamp NOT NULL DEFAULT now(),
    additional jsonb
);

CREATE INDEX ix_user_events_source_id ON public.user_events (source_id);

CREATE TABLE public.user_security_keys (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id       uuid NOT NULL REFERENCES public.users (id) DEFERRABLE INITIALLY DEFERRED,
    label         varchar NOT NULL,
    credential_id varchar NOT NULL UNIQUE,
    public_key    varchar UNIQUE,
    sign_count    integer,
    CONSTRAINT _user_security_keys_label_uc UNIQUE (label, user_id)
);

CREATE INDEX ix_user_security_keys_user_id ON public.user_security_keys (user_id);

CREATE TABLE public.projects (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name            text NOT NULL,
    normalized_name text NOT NULL UNIQUE,    -- kept by a trigger in warehouse
    CONSTRAINT projects_valid_name CHECK (name ~* '^([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])$')
);

CREATE TABLE public.roles (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    role_name  varchar NOT NULL,
    user_id    uuid NOT NULL REFERENCES public.users (id) ON UPDATE CASCADE ON DELETE CASCADE,
    project_id uuid NOT NULL REFERENCES public.projects (id) ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT _roles_user_project_uc UNIQUE (user_id, project_id)
);

CREATE INDEX roles_user_id_idx ON public.roles (user_id);
CREATE INDEX roles_project_id_idx ON public.roles (project_id);
