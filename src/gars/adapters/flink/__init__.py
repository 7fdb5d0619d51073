"""Apache Flink: the feature job, user states kept as keyed state and written to the state store."""
