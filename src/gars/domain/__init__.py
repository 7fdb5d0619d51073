"""The domain model: frozen values and pure functions. No I/O, no clock, no global randomness."""
