"""The engine: reads each host's state once, compares it with the declared one, applies the difference, verifies it."""
