"""Certificates by ACME (RFC 8555): ordered by the controller, proven by records of the site's own BIND."""
