"""``python -m gars.entrypoints.cli``: the command ``gars`` of exactly this interpreter."""

from gars.entrypoints.cli.app import main

main()
