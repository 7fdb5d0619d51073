"""Hook of MkDocs: generate the reference pages, and include the documents of the repository's root.

``reference/commands.md`` comes from the command line itself, ``reference/http.md`` from ``web/openapi.json``. Markdown
of a code host is adapted: a table or a list may follow a paragraph without an empty line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

ROOT = Path(__file__).parents[1]
FROM_ROOT = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md", "SECURITY.md": "security.md"}
"""Documents outside ``docs/`` and their page in the site."""
_FENCE = re.compile(r"\s*(```|~~~)")
_TABLE = re.compile(r"\s*\|.*\|\s*$")
_ITEM = re.compile(r"(?:[-*]|\d+\.) ")
_BAR = "\\|"
_LABELLED = re.compile(r"(?<!!)\[([^\]]+)\]\((?!\w+:|#)([^)\s]+)\)")
_LINK = re.compile(r"\]\((?!\w+:|#)([^)\s]+)\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages to the files of the site."""
    from mkdocs.structure.files import File

    pages = {page: _from_root(name) for name, page in FROM_ROOT.items()}
    pages["reference/commands.md"] = commands()
    pages["reference/http.md"] = http(json.loads((ROOT / "web" / "openapi.json").read_text(encoding="utf-8")))
    for page, text in pages.items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Adapt the text of one page to Python-Markdown."""
    up = "../" * page.file.src_uri.count("/")
    markdown = _LABELLED.sub(lambda link: link[0] if _in_site(link[2], up) else link[1], markdown)
    return separate_blocks(_LINK.sub(lambda link: f"]({_inside(link[1], up)})", markdown))


def _in_site(target: str, up: str) -> bool:
    """Test whether a link leads into the site; one to source code is shown as its text."""
    path = target.partition("#")[0]
    return not path.startswith(f"{up}../") or path.removeprefix(f"{up}../") in FROM_ROOT


def _inside(target: str, up: str) -> str:
    """Point a link to a document of the root at its page; ``up`` leads to the top of ``docs/``."""
    path, mark, anchor = target.partition("#")
    name = path.removeprefix(up + "../")
    return f"{up}{FROM_ROOT[name]}{mark}{anchor}" if path == f"{up}../{name}" and name in FROM_ROOT else target


def _from_root(name: str) -> str:
    """Return a document of the root with its links as seen from ``docs/``."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return _LINK.sub(
        lambda link: f"]({link[1].removeprefix('docs/') if link[1].startswith('docs/') else '../' + link[1]})", text
    )


def separate_blocks(markdown: str) -> str:
    """Put an empty line between a paragraph and a table or list that follows it."""
    lines: list[str] = []
    fence = ""
    for line in markdown.splitlines():
        before = lines[-1] if lines else ""
        if found := _FENCE.match(line):
            fence = "" if fence == found[1] else fence or found[1]
        elif not fence and before.strip() and not before.startswith(("#", " ", "\t")):
            table, item = _TABLE.match(line), _ITEM.match(line)
            if (
                (table and not _TABLE.match(before))
                or (item and not _ITEM.match(before))
                or (_TABLE.match(before) and not table)
            ):
                lines.append("")
        lines.append(line)
    return "\n".join(lines) + "\n"


def commands() -> str:
    """Return the reference of the command line: each command with its arguments and options."""
    from gars.entrypoints.cli.app import app

    text = ["# Commands", "Every command of `gars`, as its `--help` describes it."]
    text += [part for name, command in _walk(typer.main.get_command(app), "gars") for part in _command(name, command)]
    return "\n\n".join(text) + "\n"


def _walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield a command and those below it, with their full names."""
    yield name, command
    for below, one in getattr(command, "commands", {}).items():
        if not one.hidden:
            yield from _walk(one, f"{name} {below}")


def _command(name: str, command: Any) -> Iterator[str]:
    """Yield the blocks of one command: heading, usage, help, options."""
    with command.context_class(command, info_name=name) as context:
        yield f"{'##' if name.count(' ') < 2 else '###'} `{name}`"
        yield f"```console\n$ {' '.join([name, *command.collect_usage_pieces(context)])}\n```"
        if command.help:
            yield _escape(re.sub(r"\s*\n\s*(?!\n)", "\n", command.help).strip())
        rows = [record for one in command.get_params(context) if (record := one.get_help_record(context))]
        if rows:
            table = [
                f"| `{option.replace('|', chr(92) + '|')}` | {_escape(' '.join(text.split()))} |"
                for option, text in rows
            ]
            yield "\n".join(["| option | meaning |", "|---|---|", *table])


def _escape(text: str) -> str:
    """Escape what Markdown would take for markup in plain help."""
    return re.sub(r"([|<*_\[\]])", r"\\\1", text)


def http(document: dict[str, Any]) -> str:
    """Return the reference of the HTTP API from its OpenAPI document: routes by tag, then schemas."""
    routes: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            routes.setdefault(one.get("tags", ["other"])[0], []).append(_route(method.upper(), path, one))
    text = [
        "# Parameters and schemas",
        "Generated from the OpenAPI document that the service sends at `/docs/openapi.json`. "
        "[Routes and events](../api.md) explains how they belong together.",
    ]
    for tag in sorted(routes):
        text += [f"## {tag.capitalize()}", *routes[tag]]
    text.append("## Schemas")
    text += [_schema(name, one) for name, one in sorted(document["components"]["schemas"].items())]
    return "\n\n".join(text) + "\n"


def _route(method: str, path: str, one: dict[str, Any]) -> str:
    """Return one route: summary, parameters, body, answers."""
    blocks = [f"### {method} `{path}`", _escape(one.get("summary", "")), _escape(one.get("description", ""))]
    parameters = [
        f"| `{each['name']}` | {each['in']} | {_type(each['schema'])} | {'yes' if each.get('required') else ''} "
        f"| {_escape(' '.join(each.get('description', '').split()))} |"
        for each in one.get("parameters", [])
    ]
    if parameters:
        head = ["| parameter | in | type | required | meaning |", "|---|---|---|---|---|"]
        blocks.append("\n".join([*head, *parameters]))
    for kind, body in one.get("requestBody", {}).get("content", {}).items():
        blocks.append(f"Body, `{kind}`: {_type(body['schema'])}")
    answers = [
        f"| {status} | {_type(next(iter(answer['content'].values()))['schema']) if answer.get('content') else ''} "
        f"| {_escape(answer.get('description', ''))} |"
        for status, answer in one["responses"].items()
    ]
    blocks.append("\n".join(["| status | body | meaning |", "|---|---|---|", *answers]))
    return "\n\n".join(block for block in blocks if block)


def _schema(name: str, one: dict[str, Any]) -> str:
    """Return the fields of one schema."""
    required = one.get("required", [])
    rows = [
        f"| `{field}` | {_type(schema)} | {'yes' if field in required else ''} "
        f"| {_escape(' '.join(schema.get('description', '').split()))} |"
        for field, schema in one.get("properties", {}).items()
    ]
    table = "\n".join(["| field | type | required | meaning |", "|---|---|---|---|", *rows]) if rows else _type(one)
    return "\n\n".join(part for part in (f"### {name}", _escape(one.get("description", "")), table) if part)


def _type(schema: dict[str, Any]) -> str:
    """Return the type of a value in words, with a link to a named schema."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for key in ("oneOf", "anyOf", "allOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_type(each) for each in schema[key]))
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"array of {_type(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
