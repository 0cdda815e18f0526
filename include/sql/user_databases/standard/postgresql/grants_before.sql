-- What Lapsewatch may see and change in this database: two group roles, views that hold no address and no secret, and a
-- ledger of what it took away. The roles have nothing on the service's own tables: they may read the views, and
-- lapsewatch_unverifier may write to the ledger, whose triggers do the rest by the owner's rights and only where it is due.
-- The owner of the service's tables runs it once, and after every release that changes it; to run it again is harmless
-- and keeps the ledger. docs/privileges.md tells how. PostgreSQL 14 or later.
-- Of its parts all but one are the same for all systems: the one after this says what this system's tables mean.

create table if not exists lapsewatch.unverification (
    id             bigint generated always as identity primary key,
    address_key    text not null,
    host           text not null,
    verified_at    timestamptz,
    checked_at     timestamptz not null,
    flags          text[] not null,
    was            jsonb not null,
    address_digest bytea not null,
    unverified_at  timestamptz not null,
    reverified_at  timestamptz
);
create index if not exists unverification_address on lapsewatch.unverification (address_key, id);
comment on table lapsewatch.unverification is 'The verifications that Lapsewatch took away, one row each: for giving them back. Holds no address.';
comment on column lapsewatch.unverification.id is 'Counts up.';
comment on column lapsewatch.unverification.address_key is 'Key of the address, as text.';
comment on column lapsewatch.unverification.host is 'The host that was judged.';
comment on column lapsewatch.unverification.verified_at is 'When the address was last verified, as far as the judge knew.';
comment on column lapsewatch.unverification.checked_at is 'When the evidence was seen.';
comment on column lapsewatch.unverification.flags is 'The flags of that evidence.';
comment on column lapsewatch.unverification.was is 'The values that were taken away, which giving back restores.';
comment on column lapsewatch.unverification.address_digest is 'SHA-256 of the address in lower case: only this very address gets its verification back.';
comment on column lapsewatch.unverification.unverified_at is 'When the verification was taken away.';
comment on column lapsewatch.unverification.reverified_at is 'When it was given back.';

drop view if exists
    lapsewatch.verified_email, lapsewatch.verified_address, lapsewatch.address, lapsewatch.unverified_address,
    lapsewatch.sole_address, lapsewatch.account, lapsewatch.hosted_address, lapsewatch.known_address;
drop function if exists
    lapsewatch.read_key, lapsewatch.lock_address, lapsewatch.unverify_address, lapsewatch.reverify_address;
