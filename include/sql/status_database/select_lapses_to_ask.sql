-- What a question is about: the lapses of the run's candidates; in a backfill also those that dry runs have named, so
-- that it asks once for all its runs. Not what another question asks about already.
with named as (
    select address_key, domain, lapsed_at
    from lapsewatch.address_unverification
    where run_id = :run_id and state = 'awaiting'
    union
    select dry.address_key, dry.domain, dry.lapsed_at
    from lapsewatch.address_unverification as dry
    where :with_dry_runs
      and dry.dry_run
      and not exists (
          select
          from lapsewatch.address_unverification as settled
          where settled.address_key = dry.address_key
            and settled.domain = dry.domain
            and settled.lapsed_at = dry.lapsed_at
            and settled.state in ('planned', 'unverified', 'skipped', 'undoing', 'undone')
      )
      and not exists (
          select
          from lapsewatch.exemption_in_force as exemption
          where exemption.domain = dry.domain or exemption.address_key = dry.address_key
      )
)
select named.domain, named.lapsed_at, split_part(named.domain, '.', -1) as tld,
       count(distinct named.address_key) as address_count, coalesce(status.witnesses, '{}') as witnesses
from named
join lapsewatch.domain_lapse as lapse using (domain, lapsed_at)
join lapsewatch.domain_status as status using (domain)
where lapse.ended_at is null
  and lapse.pardoned_at is null
  and not exists (
      select
      from lapsewatch.approval_lapse as asked
      join lapsewatch.unverification_approval as question using (run_id, asked_at)
      where asked.domain = named.domain and asked.lapsed_at = named.lapsed_at and question.answer is null
  )
group by named.domain, named.lapsed_at, status.witnesses
order by named.domain, named.lapsed_at
