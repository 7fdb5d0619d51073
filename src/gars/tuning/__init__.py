"""Search of settings: trials on validation rows, their journal and the search space."""
