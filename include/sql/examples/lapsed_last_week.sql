-- Which domains lapsed in the last seven days, and whom did it cost their verification?
--
-- One row a lapse, those with most addresses first. What somebody else registered earlier, and a run has only noticed now, is
-- not among them: it lapsed then.
-- domain            the registrable domain
-- lapsed_at         when the lapse counted
-- phase             the stage of the registration then; reregistered: a stranger may have it already
-- reason            what the witnesses said, in words
-- unverified_count  addresses that were unverified for it; 0 after a dry run, or while somebody is asked
-- ended_at          when its owner was seen to have renewed it; empty: not yet
select domain, lapsed_at, phase, reason, unverified_count, ended_at
from lapsewatch.lapse_history
where lapsed_at >= now() - interval '7 days'
order by unverified_count desc, domain;
