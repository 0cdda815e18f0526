-- What given roles and logins may do, by themselves or by roles: with the views, tables and procedures of the database
-- lapsewatch, and with given tables of this one. Takes two JSON lists, of roles and of table names. Only who may read the
-- system tables is told. A privilege on a whole database or on all of them counts; where it is some columns only, they are
-- named after the table. To create in a database needs a word too: a temporary table hides the ledger from the procedures,
-- which then give what it says.
with recursive granted as (
    select user, db, table_name as name, table_priv as privileges, null as of_column from mysql.tables_priv
    union all
    select user, db, table_name, column_priv, column_name from mysql.columns_priv
    union all
    select user, db, routine_name, proc_priv, null from mysql.procs_priv
    union all
    select user, db, null,
           concat_ws(',', if(select_priv = 'Y', 'Select', null), if(insert_priv = 'Y', 'Insert', null),
                     if(update_priv = 'Y', 'Update', null), if(delete_priv = 'Y', 'Delete', null),
                     if(drop_priv = 'Y', 'Drop', null), if(alter_priv = 'Y', 'Alter', null),
                     if(trigger_priv = 'Y', 'Trigger', null), if(create_priv = 'Y', 'Create', null),
                     if(create_view_priv = 'Y', 'Create view', null),
                     if(create_tmp_table_priv = 'Y', 'Create temporary tables', null),
                     if(create_routine_priv = 'Y', 'Create routine', null)), null
    from mysql.db
    union all
    select user, null, null,
           concat_ws(',', if(json_value(priv, '$.access') & 1, 'Select', null),
                     if(json_value(priv, '$.access') & 2, 'Insert', null),
                     if(json_value(priv, '$.access') & 4, 'Update', null),
                     if(json_value(priv, '$.access') & 8, 'Delete', null),
                     if(json_value(priv, '$.access') & 1 << 4, 'Create', null),
                     if(json_value(priv, '$.access') & 1 << 5, 'Drop', null),
                     if(json_value(priv, '$.access') & 1 << 13, 'Alter', null),
                     if(json_value(priv, '$.access') & 1 << 21, 'Create view', null),
                     if(json_value(priv, '$.access') & 1 << 27, 'Trigger', null),
                     if(json_value(priv, '$.access') & 1 << 16, 'Create temporary tables', null),
                     if(json_value(priv, '$.access') & 1 << 23, 'Create routine', null)), null
    from mysql.global_priv
),
member as (
    select it.name as role_name, it.name as user
    from json_table(:roles, '$[*]' columns (name varchar(128) path '$')) as it
    union
    select member.role_name, given.role
    from member
    join mysql.roles_mapping as given on given.user = member.user
),
named as (
    select table_schema as db, table_name as name, concat('lapsewatch.', table_name) as shown
    from information_schema.tables
    where table_schema = 'lapsewatch'
    union all
    select routine_schema, routine_name, concat('lapsewatch.', routine_name)
    from information_schema.routines
    where routine_schema = 'lapsewatch'
    union all
    select database(), it.name, it.name
    from json_table(:tables, '$[*]' columns (name varchar(64) path '$')) as it
)
select member.role_name as role_name,
       concat(named.shown, if(
           sum(granted.of_column is null),
           '',
           concat(' (', group_concat(distinct granted.of_column order by granted.of_column separator ', '), ')')
       )) as relation_name,
       lower(wanted.privilege) as privilege
from member
join granted on granted.user = member.user
join named on named.db like coalesce(granted.db, named.db) and named.name = coalesce(granted.name, named.name)
join (
    select 'Select' as privilege union all select 'Insert' union all select 'Update' union all select 'Delete'
    union all select 'Drop' union all select 'Alter' union all select 'Trigger' union all select 'Execute'
) as wanted on find_in_set(wanted.privilege, granted.privileges)
group by member.role_name, named.shown, wanted.privilege
union
select member.role_name, concat('in ', place.db), lower(wanted.privilege)
from member
join granted on granted.user = member.user and granted.name is null
join (select 'lapsewatch' as db union select database()) as place on place.db like coalesce(granted.db, place.db)
join (
    select 'Create temporary tables' as privilege union all select 'Create routine'
    union all select 'Create' union all select 'Create view'
) as wanted on find_in_set(wanted.privilege, granted.privileges)
