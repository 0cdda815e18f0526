analyze lapsed_host, touched_address
