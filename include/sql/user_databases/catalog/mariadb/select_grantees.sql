-- Who but the two group roles has been granted something in the database lapsewatch, by itself, with all its databases: what,
-- whom, and which privilege. Left out are who may do everything (the privilege SUPER), and the account that ran the script.
-- Only who may read the system tables is told.
with granted as (
    select user, concat('lapsewatch.', table_name) as object_name, concat_ws(',', table_priv, column_priv) as privileges
    from mysql.tables_priv
    where db = 'lapsewatch'
    union all
    select user, concat('lapsewatch.', routine_name), proc_priv
    from mysql.procs_priv
    where db = 'lapsewatch'
    union all
    select user, 'in the database lapsewatch',
           concat_ws(',', if(select_priv = 'Y', 'Select', null), if(insert_priv = 'Y', 'Insert', null),
                     if(update_priv = 'Y', 'Update', null), if(delete_priv = 'Y', 'Delete', null),
                     if(create_priv = 'Y', 'Create', null), if(drop_priv = 'Y', 'Drop', null),
                     if(alter_priv = 'Y', 'Alter', null), if(trigger_priv = 'Y', 'Trigger', null),
                     if(create_view_priv = 'Y', 'Create view', null), if(create_routine_priv = 'Y', 'Create routine', null),
                     if(execute_priv = 'Y', 'Execute', null), if(alter_routine_priv = 'Y', 'Alter routine', null))
    from mysql.db
    where 'lapsewatch' like db
    union all
    select user, 'in every database',
           concat_ws(',', if(json_value(priv, '$.access') & 1, 'Select', null),
                     if(json_value(priv, '$.access') & 2, 'Insert', null),
                     if(json_value(priv, '$.access') & 4, 'Update', null),
                     if(json_value(priv, '$.access') & 8, 'Delete', null),
                     if(json_value(priv, '$.access') & 1 << 4, 'Create', null),
                     if(json_value(priv, '$.access') & 1 << 5, 'Drop', null),
                     if(json_value(priv, '$.access') & 1 << 13, 'Alter', null),
                     if(json_value(priv, '$.access') & 1 << 18, 'Execute', null),
                     if(json_value(priv, '$.access') & 1 << 21, 'Create view', null),
                     if(json_value(priv, '$.access') & 1 << 23, 'Create routine', null),
                     if(json_value(priv, '$.access') & 1 << 24, 'Alter routine', null),
                     if(json_value(priv, '$.access') & 1 << 27, 'Trigger', null))
    from mysql.global_priv
)
select distinct granted.object_name, granted.user as grantee_name, lower(wanted.privilege) as privilege
from granted
join (
    select 'Select' as privilege union all select 'Insert' union all select 'Update' union all select 'Delete'
    union all select 'Create' union all select 'Drop' union all select 'Alter' union all select 'Trigger'
    union all select 'Create view' union all select 'Create routine'
    union all select 'Execute' union all select 'Alter routine'
) as wanted on find_in_set(wanted.privilege, granted.privileges)
where granted.user not in ('lapsewatch_reader', 'lapsewatch_unverifier')
  and not exists (
      select 1
      from mysql.global_priv as held
      where held.user = granted.user and json_value(held.priv, '$.access') & 1 << 15
  )
  and not exists (
      select 1
      from information_schema.routines as code
      where code.routine_schema = 'lapsewatch' and substring_index(code.definer, '@', 1) = granted.user
  )
