-- States change by the thousand, and the planner would take those of now for a few.
analyze lapsewatch.address_unverification
