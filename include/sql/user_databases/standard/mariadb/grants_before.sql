-- What Lapsewatch may see and change in this database: two roles, views that hold no address and no secret, and a ledger
-- of what it took away. The roles have nothing on the service's own tables: they may read the views, and
-- lapsewatch_unverifier may call two procedures, which do the rest by their definer's rights and only where it is due.
-- Who may create databases, roles and routines runs it once with the client `mariadb`, in the service's own database, and
-- after every release that changes it; to run it again is harmless and keeps the ledger. The views and procedures work by
-- the rights of that account: it has to stay. docs/privileges.md tells how. MariaDB 10.6 or later.
-- Of its parts all but one are the same for all systems: the one after this says what this system's tables mean.

create table if not exists lapsewatch.unverification (
    id             bigint auto_increment primary key comment 'Counts up.',
    address_key    varchar(255) not null comment 'Key of the address, as text.',
    host           varchar(255) not null comment 'The host that was judged.',
    verified_at    datetime(6) comment 'When the address was last verified, as far as the judge knew, in UTC.',
    checked_at     datetime(6) not null comment 'When the evidence was seen, in UTC.',
    flags          json not null comment 'The flags of that evidence.',
    was            json not null comment 'The values that were taken away, which giving back restores.',
    address_digest char(64) not null comment 'SHA-256 of the address in lower case: only this very address gets its verification back.',
    unverified_at  datetime(6) not null comment 'When the verification was taken away, in UTC.',
    reverified_at  datetime(6) comment 'When it was given back, in UTC.',
    key unverification_address (address_key, id)
)
engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin
comment = 'The verifications that Lapsewatch took away, one row each: for giving them back. Holds no address.';
