-- Who would lose the account with the domain, and should be asked for a second address?
--
-- One row an account whose only verified address is on a custom domain, the most pressing first, a hundred at most.
-- risk_rank          1 is the most pressing; equals share a rank
-- account_key        the account's key in the user database: who it is, only that knows
-- domain             the domain that the account hangs on
-- phase              the stage of its registration
-- days_to_date       days until the registry's expiry date; below 0: it has passed; empty: unknown. Of an expired domain the
--                    registry has moved it on by a year: lapsewatch.expiring_soon has the days that are left
-- has_second_factor  whether a password alone would not be enough; empty: unknown
-- owned_count        how many things the account may publish
-- owns_popular       whether one of them is popular; empty: unknown
select risk_rank, account_key, domain, phase,
       cast(expires_at at time zone 'UTC' as date) - cast(now() at time zone 'UTC' as date) as days_to_date,
       has_second_factor, owned_count, owns_popular
from lapsewatch.accounts_at_risk
order by risk_rank, account_key
limit 100;
