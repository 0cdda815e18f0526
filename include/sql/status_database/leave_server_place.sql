select pg_advisory_unlock(lapsewatch.rdap_server_place_key(:host, :place))
