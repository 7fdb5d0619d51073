"""The edge of each service: checks on a request before it reaches a route."""
