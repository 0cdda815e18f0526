-- Calls that were in flight together are refused together, and slow down once.
with known as (
    select paused_until, slowed_to, slowed_at, clock_timestamp() as present,
           lapsewatch.call_pace(slowed_to, slowed_at, clock_timestamp()) as pace
    from lapsewatch.call_budget
    where provider = :provider
    for update
),
slowed as (
    select present,
           case when paused_until <= present then
               case
                   when slowed_at is null or slowed_at <= present - make_interval(secs => :soon) then pace * :slowed
                   when slowed_at <= present - make_interval(secs => :pause) then pace * :slowed_again
               end
           end as pace
    from known
)
update lapsewatch.call_budget as budget
set paused_until = greatest(budget.paused_until, slowed.present + make_interval(secs => :seconds)),
    next_turn_at = greatest(budget.next_turn_at, slowed.present + make_interval(secs => :seconds)),
    slowed_to = case when slowed.pace is null then budget.slowed_to else greatest(slowed.pace, :slowest_pace) end,
    slowed_at = case when slowed.pace is null then budget.slowed_at else slowed.present end,
    refused_at = slowed.present,
    refusal_count = budget.refusal_count + 1
from slowed
where budget.provider = :provider
