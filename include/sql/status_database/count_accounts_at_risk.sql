select count(*) from lapsewatch.account_at_risk
