"""site.yml and roles: plays, roles, and why a resource is what it is."""
