"""What stands between the shell and the engine: options, usage, exit codes. Light: `invoke --list` imports it."""
