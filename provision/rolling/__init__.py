"""Rolling updates: which node leaves traffic, when it comes back, and when the update stops."""
