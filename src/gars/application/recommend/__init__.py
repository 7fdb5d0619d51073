"""Lists: the request of a list, its stages, fallbacks, pages and cache."""
