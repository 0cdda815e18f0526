-- Where one extraction lands before it is merged: gone with its transaction.
create temporary table extracted_host (host text not null, domain text not null, address_count bigint not null)
on commit drop
