-- For the rest of the transaction: a page waits no longer than that, and a download that stalls holds up nobody.
select set_config('statement_timeout', '30s', true), set_config('idle_in_transaction_session_timeout', '60s', true)
