-- The server finds out within half a minute that a worker's machine is gone, and lets go of the session's locks, instead of
-- within hours: 10 s of silence and three questions at 5 s, or 30 s in which nothing sent is acknowledged.
select set_config('tcp_keepalives_idle', '10', false),
       set_config('tcp_keepalives_interval', '5', false),
       set_config('tcp_keepalives_count', '3', false),
       set_config('tcp_user_timeout', '30000', false)
