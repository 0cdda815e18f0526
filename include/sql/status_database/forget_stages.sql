-- A run that is planned anew begins anew what comes after its plan.
delete from lapsewatch.run_stage where run_id = :run_id and stage not in ('extract_domains', 'plan_batches')
