-- Which of the two group roles there are, and whether the unverifier has the reader's rights too.
select rolname as role_name, pg_has_role(oid, (select oid from pg_roles where rolname = 'lapsewatch_reader'), 'usage') as is_reader
from pg_roles
where rolname in ('lapsewatch_reader', 'lapsewatch_unverifier')
