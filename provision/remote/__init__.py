"""SSH: connection, login, known_hosts, lock, and the script on a host. Nothing else imports fabric or paramiko."""
