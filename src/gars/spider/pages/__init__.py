"""Pages as pure functions: text in, frozen records out. No network, no clock, no settings."""
