"""The record of runs on hosts: journals, queries, rollback and pruning."""
