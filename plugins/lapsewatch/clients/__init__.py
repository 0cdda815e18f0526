"""Clients of the services that know about domains: a session and a base URL in, a typed outcome out."""
