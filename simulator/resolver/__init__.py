"""The resolver of the simulated internet: DNS over UDP and TCP, for the same world and clock as the status APIs."""
