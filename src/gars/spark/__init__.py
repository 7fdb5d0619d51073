"""``gars offline``: training on Apache Spark, with the same computations as retrieval/."""
