-- The state that the last run has left, in the order of a domain's life.
select phase, domain_count, domain_change, address_count, address_change, entered_count, left_count, summed_up_at
from lapsewatch.status_by_phase
order by array_position(
    array[
        'active', 'held', 'reserved', 'expired', 'redemption', 'pending_delete', 'released', 'reregistered', 'undelegated', 'unknown'
    ],
    phase
), phase
