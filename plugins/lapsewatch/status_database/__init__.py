"""Lapsewatch's own database: what is known of each domain, and how it came to be known."""
