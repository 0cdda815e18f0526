-- A user database in PyPI's schema: the subset of warehouse's tables and columns that e-mail addresses need.
-- Times are UTC without a zone, as warehouse keeps them.

-- With what others have built on them, such as views.
DROP TABLE IF EXISTS public.user_events, public.user_emails, public.users CASCADE;
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
