create table lapsewatch.call_budget (
    provider       text primary key,
    next_turn_at   timestamptz not null,
    granted_at     timestamptz not null,
    paused_until   timestamptz not null default '-infinity',
    slowed_to      double precision not null default 1 check (slowed_to > 0 and slowed_to <= 1),
    slowed_at      timestamptz,
    refused_at     timestamptz,
    refusal_count  bigint not null default 0
);
comment on table lapsewatch.call_budget is 'Each domain status API, and how soon anybody may call it again. Its row is the lock under which calls are granted. Times are the database''s own.';
comment on column lapsewatch.call_budget.provider is 'Name of the API.';
comment on column lapsewatch.call_budget.next_turn_at is 'The first turn that was not granted yet.';
comment on column lapsewatch.call_budget.granted_at is 'When calls were last granted. Ahead of the present: the database''s clock has been set back.';
comment on column lapsewatch.call_budget.paused_until is 'Until when nobody calls, because the API refused.';
comment on column lapsewatch.call_budget.slowed_to is 'To which share of the allowed rate the last refusals have slowed everybody down; it recovers from then on.';
comment on column lapsewatch.call_budget.slowed_at is 'When they did. Null: never yet.';
comment on column lapsewatch.call_budget.refused_at is 'When the API last refused.';
comment on column lapsewatch.call_budget.refusal_count is 'How often callers have said so far that it has refused.';

create table lapsewatch.budget_caller (
    provider      text not null references lapsewatch.call_budget (provider),
    caller        uuid,
    run_id        text not null,
    is_backfill   boolean not null,
    wanted        integer not null,
    need          integer not null,
    held          integer not null,
    next_turn_at  timestamptz not null,
    spent_on      date not null,
    renewed_at    timestamptz not null,
    primary key (provider, caller)
);
comment on table lapsewatch.budget_caller is 'Who is calling a domain status API just now: one row for each task that asks. Who does not come again for ten seconds is forgotten.';
comment on column lapsewatch.budget_caller.provider is 'Name of the API.';
comment on column lapsewatch.budget_caller.caller is 'Made up by the caller.';
comment on column lapsewatch.budget_caller.run_id is 'The Airflow run that it belongs to.';
comment on column lapsewatch.budget_caller.is_backfill is 'Whether that is a run of a backfill: those take what others leave.';
comment on column lapsewatch.budget_caller.wanted is 'Calls that it has still to begin.';
comment on column lapsewatch.budget_caller.need is 'The most calls that it could have in flight until it comes again.';
comment on column lapsewatch.budget_caller.held is 'The places in flight that are its own; those of all callers together are never more than allowed.';
comment on column lapsewatch.budget_caller.next_turn_at is 'When the caller''s own next turn may come, where its run has a rate of its own.';
comment on column lapsewatch.budget_caller.spent_on is 'The day (UTC) on which it was last granted calls.';
comment on column lapsewatch.budget_caller.renewed_at is 'When it last came.';

create table lapsewatch.call_spending (
    provider    text not null,
    day         date not null,
    call_count  bigint not null,
    primary key (provider, day)
);
comment on table lapsewatch.call_spending is 'Calls granted to tasks, by domain status API and day (UTC): what the budgets of the day and the month are held against.';
comment on column lapsewatch.call_spending.provider is 'Name of the API.';
comment on column lapsewatch.call_spending.day is 'The day, in UTC.';
comment on column lapsewatch.call_spending.call_count is 'Calls granted on it, less those that were given back.';

create function lapsewatch.call_pace(slowed_to double precision, slowed_at timestamptz, at timestamptz)
returns double precision
language sql immutable
return case
           when slowed_at is null then 1
           else least(1, slowed_to + 0.02 / 60 * extract(epoch from at - slowed_at)::double precision)
       end;
comment on function lapsewatch.call_pace is 'The share of the allowed rate that is in use, as core/call_budget.py has it: two hundredths are regained each minute.';

create function lapsewatch.fair_place_count(budget_provider text, asking uuid, allowed_in_flight integer)
returns integer
language plpgsql as $$
declare
    places_left integer := allowed_in_flight;
    share integer;
    sharer record;
begin
    -- The daily run first; then who needs least is given it, and what that leaves of an even share is the others'.
    for sharer in
        select caller, need,
               count(*) over (
                   partition by is_backfill order by need, caller rows between current row and unbounded following
               ) as sharer_count
        from lapsewatch.budget_caller
        where provider = budget_provider
        order by is_backfill, need, caller
    loop
        -- Rounded up: who needs least is not left without a place.
        share := least(sharer.need, (places_left + sharer.sharer_count - 1) / sharer.sharer_count);
        if sharer.caller = asking then
            return share;
        end if;
        places_left := places_left - share;
    end loop;
    return 0;
end $$;
comment on function lapsewatch.fair_place_count is 'How many of the allowed calls in flight are a caller''s fair share.';

create function lapsewatch.reserve_calls(
    budget_provider text,
    asking uuid,
    caller_run_id text,
    of_backfill boolean,
    wanted_count integer,
    in_flight_count integer,
    unused_count integer,
    allowed_per_second double precision,
    allowed_in_flight integer,
    allowed_per_day bigint,
    allowed_per_month bigint,
    run_per_second double precision,
    due_today bigint,
    due_a_day bigint,
    out call_count integer,
    out starts_in double precision,
    out seconds_between double precision,
    out place_count integer,
    out again_in double precision,
    out resumes_at timestamptz,
    out is_kept_back boolean
)
language plpgsql as $$
declare
    slice constant interval := '0.25 s';
    slice_of_leftovers constant interval := '0.05 s';
    look_again constant double precision := 0.25;
    budget lapsewatch.call_budget;
    own lapsewatch.budget_caller;
    present timestamptz;
    today date;
    midnight timestamptz;
    next_month date;
    set_back interval;
    rate double precision;
    is_yielding boolean;
    sharer_count integer;
    run_caller_count integer;
    slice_count integer;
    fair_count integer;
    held_by_others integer;
    spent_today bigint;
    spent_this_month bigint;
    left_today bigint;
    left_this_month bigint;
    left_over bigint;
    begins_at timestamptz;
    ends_at timestamptz;
begin
    select * into budget from lapsewatch.call_budget where provider = budget_provider for update;
    if not found then
        insert into lapsewatch.call_budget (provider, next_turn_at, granted_at)
        values (budget_provider, clock_timestamp(), clock_timestamp())
        on conflict do nothing;
        select * into strict budget from lapsewatch.call_budget where provider = budget_provider for update;
    end if;
    -- From here on one caller at a time: every statement sees what the one before has left.
    present := clock_timestamp();
    today := (present at time zone 'UTC')::date;
    midnight := (today + 1)::timestamp at time zone 'UTC';
    next_month := date_trunc('month', today::timestamp) + interval '1 month';
    is_kept_back := false;
    call_count := 0;
    starts_in := 0;
    seconds_between := 0;
    again_in := 1;

    if budget.granted_at > present then
        -- The clock was set back, and with it goes all that was dated by it: nobody waits until it is that late again.
        set_back := budget.granted_at - present;
        update lapsewatch.call_budget
        set next_turn_at = next_turn_at - set_back, paused_until = paused_until - set_back,
            slowed_at = slowed_at - set_back, granted_at = present
        where provider = budget_provider
        returning * into budget;
        update lapsewatch.budget_caller
        set next_turn_at = next_turn_at - set_back, renewed_at = renewed_at - set_back
        where provider = budget_provider;
    end if;

    delete from lapsewatch.budget_caller
    where provider = budget_provider and renewed_at < present - interval '10 s';
    insert into lapsewatch.budget_caller as known (
        provider, caller, run_id, is_backfill, wanted, need, held, next_turn_at, spent_on, renewed_at
    )
    values (
        budget_provider, asking, caller_run_id, of_backfill, wanted_count, 0, in_flight_count, present, today,
        present
    )
    on conflict (provider, caller) do update
    set wanted = excluded.wanted, renewed_at = excluded.renewed_at
    returning * into own;

    rate := allowed_per_second * lapsewatch.call_pace(budget.slowed_to, budget.slowed_at, present);
    select coalesce(bool_or(not is_backfill and wanted > 0 and renewed_at > present - interval '2 s'), false)
               and of_backfill,
           count(*) filter (where is_backfill = of_backfill and wanted > 0),
           count(*) filter (where run_id = caller_run_id),
           coalesce(sum(held) filter (where caller <> asking), 0)
    into is_yielding, sharer_count, run_caller_count, held_by_others
    from lapsewatch.budget_caller
    where provider = budget_provider;
    slice_count := floor(
        extract(epoch from case when is_yielding then slice_of_leftovers else slice end)
        * least(rate / greatest(sharer_count, 1), run_per_second / run_caller_count)
    );
    slice_count := greatest(slice_count, 1);

    -- Places: a caller holds no less than it has in flight, and no more than others leave free.
    update lapsewatch.budget_caller
    set need = in_flight_count + least(wanted_count, slice_count)
    where provider = budget_provider and caller = asking;
    fair_count := lapsewatch.fair_place_count(budget_provider, asking, allowed_in_flight);
    place_count := greatest(0, least(fair_count, allowed_in_flight - held_by_others));
    update lapsewatch.budget_caller
    set held = greatest(place_count, in_flight_count)
    where provider = budget_provider and caller = asking;

    if budget.paused_until > present then
        starts_in := extract(epoch from budget.paused_until - present);
        again_in := least(again_in, starts_in);
        return;
    end if;
    if place_count < fair_count or place_count < in_flight_count then
        again_in := look_again;
    end if;
    if wanted_count = 0 or unused_count > 0 or place_count = 0 or place_count < in_flight_count then
        return;
    end if;

    select coalesce(sum(spending.call_count) filter (where spending.day = today), 0), coalesce(sum(spending.call_count), 0)
    into spent_today, spent_this_month
    from lapsewatch.call_spending as spending
    where spending.provider = budget_provider and spending.day >= date_trunc('month', today::timestamp)::date;
    if spent_this_month >= allowed_per_month then
        resumes_at := next_month::timestamp at time zone 'UTC';
        return;
    elsif spent_today >= allowed_per_day then
        resumes_at := midnight;
        return;
    end if;
    -- A backfill leaves what the daily run needs today and on the other days of the month, but no more than half of what
    -- was there when the day began: both go on.
    left_today := allowed_per_day - spent_today;
    left_this_month := allowed_per_month - spent_this_month;
    left_over := least(
        left_today - least(due_today, allowed_per_day / 2),
        left_this_month
            - least(due_today + due_a_day * (next_month - today - 1), (left_this_month + spent_today) / 2)
    );
    if left_over <= 0 then
        is_kept_back := true;
        resumes_at := least(present + interval '15 min', midnight);
        return;
    end if;

    if run_per_second is not null and own.next_turn_at > present then
        again_in := least(again_in, extract(epoch from own.next_turn_at - present));
        return;
    end if;
    -- What the daily run leaves are turns that have passed unused: those just ahead are its own.
    if is_yielding and budget.next_turn_at > present - slice_of_leftovers then
        again_in := least(
            look_again, extract(epoch from budget.next_turn_at + slice_of_leftovers - present)
        );
        return;
    end if;

    call_count := least(wanted_count, slice_count, left_over);
    begins_at := greatest(budget.next_turn_at, present - slice);
    ends_at := begins_at + make_interval(secs => call_count / rate);
    starts_in := extract(epoch from greatest(begins_at, present) - present);
    seconds_between := greatest(
        extract(epoch from greatest(ends_at, present) - greatest(begins_at, present)) / call_count,
        run_caller_count / run_per_second
    );
    update lapsewatch.call_budget set next_turn_at = ends_at, granted_at = present where provider = budget_provider;
    update lapsewatch.budget_caller
    set next_turn_at = present + make_interval(secs => starts_in + call_count * seconds_between), spent_on = today
    where provider = budget_provider and caller = asking;
    insert into lapsewatch.call_spending as spending (provider, day, call_count)
    values (budget_provider, today, reserve_calls.call_count)
    on conflict (provider, day) do update set call_count = spending.call_count + excluded.call_count;
end $$;
comment on function lapsewatch.reserve_calls is 'Grants a caller its next calls to a domain status API, and keeps or changes its share of the places in flight (status_database/call_budget.py). resumes_at is set where the calls of the day or the month are used up, or, with is_kept_back, what is left of them is the daily run''s.';
