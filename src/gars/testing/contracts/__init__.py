"""What every adapter of a port must do, as checks that can be run against any of them.

Subclass a contract in a test module, say how to ``open`` the adapter, and pytest runs the checks. ``broken`` holds
adapters that are wrong in one way each; ``REJECTED_BY`` says which check must notice.
"""
