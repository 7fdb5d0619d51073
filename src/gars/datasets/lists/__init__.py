"""Personal lists of other sites: pure parsers, from the bytes of a file to entries and a report of what was skipped."""
