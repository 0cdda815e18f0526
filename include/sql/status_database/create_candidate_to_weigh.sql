create temporary table candidate_to_weigh (
    address_key text not null, domain text not null, lapsed_at timestamptz not null, tld text not null
) on commit drop
