"""The spider: crawls catalogue pages and public lists of an anime site, rate-limited and only with permission."""
