"""Cover images: fetched from the hosts that are allowed, kept as files."""
