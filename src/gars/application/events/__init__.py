"""Events: accepted, applied to states, recovered, exported and forgotten."""
