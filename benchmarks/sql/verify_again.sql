-- Gives back what a walk took.
update public.user_emails
set verified = true, unverify_reason = null, domain_last_checked = null, domain_last_status = null
where not verified or domain_last_checked is not null;
