-- Hosts of verified addresses with their counts. The local part never leaves the database; what Lapsewatch must
-- know of the whole address to set a malformed one aside comes as a count and a yes or no.
select host, at_sign_count, is_quoted, count(*) as address_count
from lapsewatch.verified_email
group by host, at_sign_count, is_quoted
