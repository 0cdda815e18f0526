-- Keys of the verified addresses on given hosts, as `select_hosts` names them.
select cast(id as text) as address_key, lower(substring(email from '@([^@]*)$')) as host
from user_emails
where verified
  and lower(substring(email from '@([^@]*)$')) = any(cast(:hosts as text[]))
  and length(email) - length(replace(email, '@', '')) = 1
  and not starts_with(email, '"')
