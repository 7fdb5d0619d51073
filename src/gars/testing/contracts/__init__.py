"""Contracts of the ports, as tests that any adapter can be run against.

Subclass a contract in a test module and implement ``open`` for the adapter; pytest runs the checks. ``broken`` holds
adapters with one fault each; ``REJECTED_BY`` names the check that must fail for each.
"""
