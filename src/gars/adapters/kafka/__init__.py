"""Apache Kafka: the event log of more than one machine."""
