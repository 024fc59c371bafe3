"""The engine: reads each host's state once, compares it with what roles declare, applies the difference, verifies it."""
