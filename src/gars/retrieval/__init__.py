"""Stage one: from a user's history to a few hundred candidates, one model a file."""
