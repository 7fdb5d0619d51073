"""Workers of the cluster: processes that follow the log and have no address."""
