"""Doubles and helpers of this repository's own tests and benchmarks: in the checkout, not in the wheel."""
