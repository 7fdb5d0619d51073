"""The clicks service: events in, into the log, over HTTP. It knows no user and no model."""
