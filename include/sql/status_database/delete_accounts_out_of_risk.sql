delete from lapsewatch.account_at_risk as known
where not exists (
    select
    from extracted_account as seen
    join lapsewatch.email_host as email_host on email_host.host = seen.host
    where seen.account_key = known.account_key
)
