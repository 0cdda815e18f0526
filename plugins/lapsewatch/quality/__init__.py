"""What a run's answers must look like before they are published, as Great Expectations suites."""
