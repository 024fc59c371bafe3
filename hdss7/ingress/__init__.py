"""Commands for those who come from ingress-nginx or from Traefik 1.7."""
