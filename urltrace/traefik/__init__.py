"""What Traefik does with a request: its rules, its routers, and the Ingresses that they are made of."""
