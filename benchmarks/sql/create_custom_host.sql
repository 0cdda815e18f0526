-- The custom hosts of both databases, each a registrable domain. The names come out of a hash, so that neighbours in an
-- index are not neighbours on the disk.
create temporary table custom_host as
select number,
       substr(md5('host' || number), 1, 7) || to_hex(number) || '.'
           || (array['com', 'com', 'com', 'com', 'com', 'net', 'org', 'org', 'de', 'io', 'dev', 'co.uk', 'fr', 'nl', 'me',
                     'com.br', 'ru', 'cn', 'eu', 'jp'])[1 + number % 20] as host
from generate_series(0, :hosts - 1) as number;
