-- The first of the months (UTC) that are kept, the present one included. The earlier of the two clocks counts, the worker's
-- and the server's: one that runs ahead drops nothing.
select cast(
    date_trunc('month', least(cast(:now as timestamptz), now()) at time zone 'UTC') - make_interval(months => :keep_months - 1)
    as date
)
