"""``gars offline``: what training makes of the interactions, on Apache Spark. The arithmetic is that of retrieval/."""
