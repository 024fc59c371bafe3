"""A run: connects to hosts, plans, applies changes in order, and reports events."""
