-- Returns the seconds until the reserved turn; no row, and no reservation, where the pause is longer than patience.
insert into lapsewatch.rdap_server as server (host, next_turn_at, turn_count)
values (:host, clock_timestamp() + make_interval(secs => :seconds_between), 1)
on conflict (host) do update
set next_turn_at = greatest(server.next_turn_at, server.paused_until, clock_timestamp())
        + make_interval(secs => :seconds_between),
    turn_count = server.turn_count + 1
where server.paused_until is null or server.paused_until <= clock_timestamp() + make_interval(secs => :patience)
returning greatest(
    0, extract(epoch from server.next_turn_at - make_interval(secs => :seconds_between) - clock_timestamp())
)::double precision
