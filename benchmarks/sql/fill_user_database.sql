-- A user base of :addresses verified addresses in PyPI's schema: four in ten on the custom hosts, the rest on large
-- providers, as registries see it. Every host has an address; what is left lies mostly on a few. Nine in ten accounts
-- have one address.
create temporary table placed_address as
select number,
       md5('user' || number % (:addresses * 9 / 10))::uuid as user_id,
       case
           when number < :hosts then number
           when number < :addresses * 4 / 10
               then cast(floor(:hosts * (number * 2654435761 % 4294967296 / 4294967296.0) ^ 3) as bigint)
       end as host_number
from generate_series(cast(0 as bigint), :addresses - 1) as number;

insert into public.users (id, username, name, is_active, date_joined)
select md5('user' || number)::uuid, 'user' || number, 'Some One', true, timestamp '2015-01-01' + number * interval '30 seconds'
from generate_series(cast(0 as bigint), :addresses * 9 / 10 - 1) as number;

insert into public.user_emails (user_id, email, "primary", verified)
select placed.user_id,
       'user' || placed.number || '@' || coalesce(
           custom_host.host,
           (array['gmail.com', 'gmail.com', 'gmail.com', 'gmail.com', 'outlook.com', 'hotmail.com', 'qq.com', 'yahoo.com',
                  'icloud.com', 'proton.me', 'mail.ru', '163.com'])[1 + placed.number % 12]
       ),
       placed.number < :addresses * 9 / 10, true
from placed_address as placed
left join custom_host on custom_host.number = placed.host_number
order by placed.number;

-- Events reach back to half of the verifications; of the others nobody knows when they were.
insert into public.user_events (id, source_id, tag, time, additional)
select gen_random_uuid(), known.user_id, tag, timestamp '2023-01-01' + known.id % 500 * interval '1 day',
       jsonb_build_object('email', known.email)
from public.user_emails as known
cross join unnest(array['account:email:add', 'account:email:verified']) as tag
where known.id % 2 = 0 and known.id <= :addresses * 4 / 10;

insert into public.projects (name, normalized_name)
select 'project' || number, 'project' || number from generate_series(1, :addresses / 20) as number;

insert into public.roles (role_name, user_id, project_id)
select 'Owner', md5('user' || row_number() over () % (:addresses * 9 / 10))::uuid, id from public.projects;
