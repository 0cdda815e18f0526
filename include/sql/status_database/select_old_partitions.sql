-- The months that are not kept, one that is already on its way out first, with the statements that take each out.
select partition_name,
       case
           when is_detaching then format('alter table lapsewatch.domain_check detach partition lapsewatch.%I finalize', partition_name)
           when is_attached then format('alter table lapsewatch.domain_check detach partition lapsewatch.%I concurrently', partition_name)
       end as detach_statement,
       format('drop table lapsewatch.%I', partition_name) as drop_statement
from lapsewatch.domain_check_partition
where month < cast(:first_month as date)
order by is_detaching desc, month
