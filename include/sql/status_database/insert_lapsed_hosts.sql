-- Hosts whose addresses lose their trust now: the lapse is open and not pardoned, by the run's own policy, and its
-- evidence is fresh. What a failed run left undone is found here too; a run over a list of domains keeps to its list. The
-- evidence is that of the check which gave the verdict, flags where the status API was asked, or else that of the lapse.
insert into lapsed_host (host, domain, lapsed_at, began_at, kind, reason, evidence)
select host.host, lapse.domain, lapse.lapsed_at, lapse.began_at, lapse.kind, status.reason,
       coalesce(
           case lapse.kind
               when 'observed' then decisive.witnessed
               else lapse.evidence - array['provider', 'flags']
           end || decisive.said,
           lapse.evidence
       ) || jsonb_strip_nulls(jsonb_build_object(
           'phase', status.phase, 'witnesses', status.witnesses, 'checked_at', status.checked_at, 'run_id', status.run_id
       ))
from lapsewatch.domain_lapse as lapse
join lapsewatch.domain_status as status using (domain)
join lapsewatch.email_host as host using (domain)
left join lateral (
    select jsonb_strip_nulls(jsonb_build_object('provider', checked.provider, 'flags', checked.flags)) as said,
           jsonb_strip_nulls(jsonb_build_object(
               'rdap', checked.rdap, 'dns', checked.dns, 'previous', checked.previous
           )) as witnessed
    from lapsewatch.domain_check as checked
    where checked.run_id = status.run_id
      and checked.domain = status.domain
      and checked.checked_at = status.checked_at
) as decisive on true
where lapse.ended_at is null
  and lapse.pardoned_at is null
  and lapse.policy = :policy
  and status.policy = :policy
  and status.verdict = 'unverify'
  and status.checked_at >= :evidence_since
  and host.address_count > 0
  and (:scope <> 'list' or status.domain = any(cast(:domains as text[])))
