"""Check that docstrings, names of tests and names in the code use the terms of the field.

Counts of discouraged words in docstrings, per package, may only fall; names of tests have none. Counts of variables,
parameters, attributes and functions with a discouraged name, per folder, may only fall; a folder not listed has none.

Run by ``make check``; ``--write`` stores lower counts in ``scripts/language_counts.json``.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "gars"
COUNTS = Path(__file__).with_name("language_counts.json")
WORDS = re.compile(
    r"\b(whoever|nobody|somebody|anybody|everybody|said|says?|told|tells?|heard|hears?|loudest|speaks?|spoke|voices?"
    r"|whispers?|outshouts?|beside|judged?|judges|judging|known of)\b",
    re.IGNORECASE,
)
FOLDERS = ("src", "tests", "benchmarks", "scripts")
NAMES = frozenset({"said", "told", "heard", "whoever", "nobody"})
"""Words that no variable, parameter, attribute or function is named after."""
TEST = re.compile(r"^ *def (test_\w+)", re.MULTILINE)
OPENING = re.compile(r"(What|Whether|Who|How)\b")
SHOWN = 30
"""At most this many docstrings are printed."""


def docstrings(source: str) -> list[str]:
    """Return docstrings of modules, classes, functions and attributes."""
    return [
        node.value.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]


def package_of(file: Path) -> str:
    """Return the package a file is counted in: a folder of ``gars``, with its subfolders."""
    parts = file.relative_to(SOURCE).parts
    return parts[0] if len(parts) > 1 else "gars"


def count(source: Path = SOURCE) -> dict[str, dict[str, int]]:
    """Count discouraged words and openings of docstrings by package."""
    words, openings = Counter[str](), Counter[str]()
    for file in sorted(source.rglob("*.py")):
        package = package_of(file)
        for text in docstrings(file.read_text(encoding="utf-8")):
            words[package] += len(WORDS.findall(text))
            openings[package] += OPENING.match(text.lstrip()) is not None
    return {name: {"words": words[name], "openings": openings[name]} for name in sorted(words)}


def problems(found: dict[str, dict[str, int]], allowed: dict[str, dict[str, int]]) -> list[str]:
    """Compare counts; a package that is not listed may have none."""
    return [
        f"docstrings of {package}: {number} {kind}, at most {limit} allowed"
        for package, counts in found.items()
        for kind, number in counts.items()
        if number > (limit := allowed.get(package, {}).get(kind, 0))
    ]


def examples(packages: set[str]) -> list[str]:
    """Return the offending docstrings of some packages, with file and word."""
    lines = []
    for file in sorted(SOURCE.rglob("*.py")):
        if package_of(file) in packages:
            for text in docstrings(file.read_text(encoding="utf-8")):
                found = WORDS.search(text) or OPENING.match(text.lstrip())
                if found:
                    first = text.strip().splitlines()[0]
                    lines.append(f"  {file.relative_to(ROOT)}: {found.group(0)!r} in {first[:90]!r}")
    return lines


def names_of_tests(tests: Path = ROOT / "tests") -> list[str]:
    """Return the names of tests with a discouraged word, with their files."""
    return [
        f"  {file.relative_to(tests.parent)}: {found.group(0)!r} in the name {name}"
        for file in sorted(tests.rglob("*.py"))
        for name in TEST.findall(file.read_text(encoding="utf-8"))
        if (found := WORDS.search(name.replace("_", " ")))
    ]


def bound_names(source: str) -> list[tuple[int, str]]:
    """Return line and name of each assigned variable or attribute, parameter, exception and function."""
    names = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                names.append((node.lineno, name))
            case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.append((node.lineno, name))
            case ast.ExceptHandler(name=str(name)):
                names.append((node.lineno, name))
    return names


def discouraged_names(root: Path = ROOT) -> dict[str, list[str]]:
    """Return "file:line: name" of names with a discouraged word, by folder."""
    found: dict[str, list[str]] = {}
    for file in sorted(file for folder in FOLDERS for file in (root / folder).rglob("*.py")):
        for line, name in bound_names(file.read_text(encoding="utf-8")):
            if NAMES & set(name.lower().split("_")):
                path = file.relative_to(root)
                found.setdefault(path.parent.as_posix(), []).append(f"  {path}:{line}: {name}")
    return found


def main(arguments: list[str]) -> int:
    """Compare today's counts with the stored ones; return the exit code."""
    found = count()
    allowed = json.loads(COUNTS.read_text(encoding="utf-8")) if COUNTS.is_file() else found
    faults = problems(found, allowed)
    if faults:
        packages = {fault.removeprefix("docstrings of ").partition(":")[0] for fault in faults}
        lines = examples(packages)
        sys.stderr.write("\n".join([*faults, *lines[:SHOWN], *(["  …"] if len(lines) > SHOWN else [])]) + "\n")
        sys.stderr.write("  → use a term of the field; start with a verb and a noun (CONTRIBUTING.md)\n")
        return 1
    names = names_of_tests()
    if names:
        sys.stderr.write(
            "\n".join(names[:SHOWN]) + "\n  → name the behaviour in terms of the field (CONTRIBUTING.md)\n"
        )
        return 1
    bound, limits = discouraged_names(), allowed.get("names", {})
    for folder, lines in bound.items():
        if len(lines) > limits.get(folder, 0):
            sys.stderr.write(f"names in {folder}: {len(lines)} discouraged, at most {limits.get(folder, 0)} allowed\n")
            sys.stderr.write("\n".join(lines[:SHOWN]) + "\n  → name what it holds: message, output (CONTRIBUTING.md)\n")
            return 1
    if "--write" in arguments:
        counts = {**found, "names": {folder: len(lines) for folder, lines in sorted(bound.items())}}
        COUNTS.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
