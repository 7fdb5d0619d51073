"""Plumbing of the service: threads, deadlines, subscriptions, group commit. It knows nothing of anime."""
