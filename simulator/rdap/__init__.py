"""RDAP of the simulated internet: IANA's bootstrap file, the registries' servers and the registrars'.

After RFC 9082 (queries), RFC 9083 (answers) and RFC 9224 (bootstrap).
"""
