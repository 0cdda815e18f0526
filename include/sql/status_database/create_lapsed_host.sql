-- Hosts whose addresses are suspect in this run, one row a host and lapse: gone with its transaction.
create temporary table lapsed_host (
    host text not null, domain text not null, lapsed_at timestamptz not null, began_at timestamptz not null,
    kind text not null, reason text not null, evidence jsonb not null
)
on commit drop
