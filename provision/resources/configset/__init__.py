"""Configuration files that change together, are tested, reloaded and can be undone as one."""
