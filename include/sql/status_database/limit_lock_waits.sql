set lock_timeout = '5s'
