-- Where the accounts of one extraction land before they are merged: gone with its transaction.
create temporary table extracted_account (
    account_key text not null, address_key text not null, host text not null,
    has_second_factor boolean, owned_count bigint, owns_popular boolean
)
on commit drop
