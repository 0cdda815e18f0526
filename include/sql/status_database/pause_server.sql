insert into lapsewatch.rdap_server as server (host, next_turn_at, paused_until, refused_at, refusal_count)
values (:host, clock_timestamp(), clock_timestamp() + make_interval(secs => :seconds), clock_timestamp(), 1)
on conflict (host) do update
set paused_until = greatest(server.paused_until, excluded.paused_until),
    refused_at = excluded.refused_at,
    refusal_count = server.refusal_count + 1
