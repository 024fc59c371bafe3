"""Listeners: what a run looks like to a person, to a program, and to whoever reads the log afterwards."""
