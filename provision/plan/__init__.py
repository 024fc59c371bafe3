"""What differs on each host, as values; and a plan saved in a file for a later deploy."""
