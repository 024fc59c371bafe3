"""Jinja2: the strict environment, the filters, and the templates of roles."""
