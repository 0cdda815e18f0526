-- Hosts of verified addresses with their counts. The local part never leaves the database; what Lapsewatch must
-- know of the whole address to set a malformed one aside comes as a count and a yes or no.
select lower(left(substring(email from '@([^@]*)$'), 255)) as host,
       length(email) - length(replace(email, '@', '')) as at_sign_count,
       starts_with(email, '"') as is_quoted,
       count(*) as address_count
from user_emails
where verified
group by 1, 2, 3
