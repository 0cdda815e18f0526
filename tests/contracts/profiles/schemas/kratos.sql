-- A subset: columns and indexes of Ory Kratos' tables (ory/kratos, persistence/sql/migrations) as dumps of its schema on
-- PostgreSQL show them, 2023 to 2025, with the migration 20241001000000000000_identity_verifiable_addresses_pk.
create table identities (
    id uuid primary key,
    schema_id varchar(2048) not null,
    traits jsonb not null,
    created_at timestamp not null,
    updated_at timestamp not null,
    nid uuid,
    state varchar(255) not null default 'active',
    state_changed_at timestamp
);
create table identity_verifiable_addresses (
    id uuid not null,
    status varchar(16) not null,
    via varchar(16) not null,
    verified boolean not null,
    value varchar(400) not null,
    verified_at timestamp,
    identity_id uuid not null references identities (id) on delete cascade,
    created_at timestamp not null,
    updated_at timestamp not null,
    nid uuid,
    primary key (identity_id, id)
);
create unique index identity_verifiable_addresses_id_uq_idx on identity_verifiable_addresses (id);
create unique index identity_verifiable_addresses_status_via_uq_idx
    on identity_verifiable_addresses (nid, via, value);
create index identity_verifiable_addresses_nid_identity_id_idx on identity_verifiable_addresses (identity_id, nid);
create table identity_recovery_addresses (
    id uuid primary key,
    via varchar(16) not null,
    value varchar(400) not null,
    identity_id uuid not null references identities (id) on delete cascade,
    created_at timestamp not null,
    updated_at timestamp not null,
    nid uuid
);
create unique index identity_recovery_addresses_status_via_uq_idx on identity_recovery_addresses (nid, via, value);
create table identity_credential_types (id uuid primary key, name varchar(32) not null unique);
insert into identity_credential_types
select gen_random_uuid(), unnest(array['password', 'totp', 'webauthn', 'lookup_secret', 'code', 'passkey']);
create table identity_credentials (
    id uuid primary key,
    config jsonb not null,
    identity_credential_type_id uuid not null references identity_credential_types (id),
    identity_id uuid not null references identities (id) on delete cascade,
    created_at timestamp not null,
    updated_at timestamp not null,
    nid uuid,
    version integer not null default 0
);
create index identity_credentials_nid_identity_id_idx on identity_credentials (identity_id, nid);
