"""How the world reaches GARS: the command line and the HTTP services."""
