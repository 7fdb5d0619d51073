"""Stage two: from candidates to an ordered list with calibrated probabilities."""
