"""Asking: what each place of the path is asked, in one exec a host, and the evidence that comes of it."""
