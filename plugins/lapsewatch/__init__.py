"""Lapsewatch: stops trusting an e-mail address when its domain lapses."""
