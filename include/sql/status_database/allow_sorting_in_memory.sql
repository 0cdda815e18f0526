-- Joins and sorts of all hosts, for this transaction only: PostgreSQL's default is a sixteenth of this.
set local work_mem = '64MB'
