"""The default profile: one process, SQLite, nothing else to install or start."""
