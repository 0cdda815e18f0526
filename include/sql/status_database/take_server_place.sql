select lapsewatch.take_rdap_server_place(:host, :places, :held)
