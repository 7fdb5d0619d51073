"""``python -m gars.stack.healthy URL|FILE``: the health check of a container; exit code 0 for all well."""

from __future__ import annotations

import sys
from pathlib import Path

from gars.stack.probes import beats, http_problem


def main(where: str) -> int:
    """Check a health route or a heartbeat file; prints the fault on stderr. → exit code"""
    problem = http_problem(where) if where.startswith("http") else beats(Path(where))
    if problem:
        sys.stderr.write(f"{problem}\n")
    return int(problem is not None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
