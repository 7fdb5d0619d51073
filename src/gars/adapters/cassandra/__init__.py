"""Apache Cassandra: the history of every user, found by user. Needs the extra ``cassandra``."""
