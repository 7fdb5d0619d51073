"""One folder is one technology; each implements the ports of ``gars.application``."""
