"""When things happen: one use case a file, and the ports they need."""
