"""The embedded lab: real systemd hosts on one machine, in namespaces of their own."""
