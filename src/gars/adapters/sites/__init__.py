"""Lists kept at other sites, fetched by the name of their owner. Nothing here is asked unless a user asks for it."""
