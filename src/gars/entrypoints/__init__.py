"""Entry points of GARS: the command line, the HTTP services, the spider and the jobs."""
