"""This toolkit beside others of its kind: the same work on the same hosts, in turn, as one table."""
