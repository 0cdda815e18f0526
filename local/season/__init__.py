"""A month of daily runs, lived through in a minute: what the page, its tests and its pictures are looked at with."""
