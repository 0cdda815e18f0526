-- Intents whose end is not known, of any run: a process that died may have left them.
select address_key, domain, lapsed_at, host, verified_at, evidence
from lapsewatch.address_unverification
where state = 'planned'
