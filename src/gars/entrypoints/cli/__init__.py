"""The ``gars`` command."""
