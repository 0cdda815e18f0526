-- Intents whose end is not known, of any run: a process that died may have left them. Locked: who carries one out just
-- now is waited for.
select address_key, domain, lapsed_at, host, verified_at, evidence
from lapsewatch.address_unverification
where state = 'planned'
order by address_key, lapsed_at
for update
