-- The registration is later than the verification of an address under it: a lapse that nobody saw. The domain is asked
-- about again by the next run, by the status API, so that no address is taken on anything but fresh evidence.
with inferred as (
    insert into lapsewatch.domain_lapse
        (domain, lapsed_at, began_at, kind, phase, reason, witnesses, evidence, policy, run_id)
    select status.domain, status.registered_at, status.registered_at, 'inferred', 'reregistered', given.reason, '{rdap}',
           jsonb_strip_nulls(jsonb_build_object(
               'provider', checked.provider, 'flags', checked.flags, 'checked_at', status.checked_at,
               'rdap', jsonb_build_object(
                   'outcome', 'found', 'status', status.rdap_status, 'registered_at', status.registered_at,
                   'expires_at', status.expires_at, 'registrar', status.registrar
               )
           )),
           status.policy, :run_id
    from jsonb_to_recordset(cast(:domains as jsonb)) as given (domain text, registered_at timestamptz, reason text)
    join lapsewatch.domain_status as status using (domain, registered_at)
    left join lapsewatch.domain_check as checked
        on checked.run_id = status.run_id and checked.domain = status.domain and checked.checked_at = status.checked_at
    on conflict (domain, lapsed_at) do nothing
    returning domain, lapsed_at, reason
)
update lapsewatch.domain_status as known
set lapsed_at = greatest(known.lapsed_at, inferred.lapsed_at),
    phase = case when known.phase in ('redemption', 'pending_delete', 'released') then known.phase else 'reregistered' end,
    verdict = 'unverify',
    reason = inferred.reason,
    witnesses = '{rdap}',
    next_check_at = least(known.next_check_at, cast(:due_at as timestamptz)),
    next_source = 'status_api'
from inferred
where known.domain = inferred.domain
