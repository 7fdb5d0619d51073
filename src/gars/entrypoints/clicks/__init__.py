"""The clicks service: accepts events over HTTP and appends them to the log. It holds no users and no model."""
