"""Hosts handled in other processes, here or on other machines: what reaches one host travels as plain data."""
