-- An earlier summary of the run: phases that nobody is in any more would stay.
delete from lapsewatch.run_phase where run_id = :run_id
