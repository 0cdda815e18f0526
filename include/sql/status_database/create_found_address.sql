-- What the user database has on these hosts: gone with the transaction.
create temporary table found_address (address_key text not null, host text not null, verified_at timestamptz)
on commit drop
