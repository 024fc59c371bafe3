"""Requests that run during a rolling update, and the receipt of what they saw."""
