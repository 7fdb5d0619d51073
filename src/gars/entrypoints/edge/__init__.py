"""The edge of each service: what is decided about a request before any route sees it."""
