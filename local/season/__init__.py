"""Three weeks of daily runs, lived through in a minute or two: what the page is looked at, tested and pictured with."""
