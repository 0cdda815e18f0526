"""What happened to one domain, as the status database holds it, and the same in plain sentences."""
