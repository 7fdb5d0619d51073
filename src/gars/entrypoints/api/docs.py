"""The OpenAPI document of a service, and its page without external resources."""

from __future__ import annotations

from html import escape
from typing import Any

from litestar import Request
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from gars.bootstrap import VERSION

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1f }
@media (prefers-color-scheme: dark) { body { background: #17171a; color: #e6e6ea } a { color: #9db7ff } }
code { font-size: .9em } h2 { margin-top: 2.5rem } dt { margin-top: .5rem } .method { font-weight: 700 }
"""


def openapi_config(title: str, description: str) -> OpenAPIConfig:
    """Return the configuration of a service's OpenAPI document, at ``/docs``, whose routes may need a token."""
    return OpenAPIConfig(
        title=title,
        version=VERSION,
        description=description,
        path="/docs",
        render_plugins=[PlainDocs(), JsonRenderPlugin(path="/openapi.json")],
        use_handler_docstrings=True,
        components=Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}),
        security=[{}, {"token": []}],
    )


class PlainDocs(OpenAPIRenderPlugin):
    """Renders every route of the OpenAPI document with its parameters and responses."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002
        """Return the whole page as HTML."""
        info = openapi_schema["info"]
        routes = "".join(
            _operation(path, method, operation)
            for path, methods in sorted(openapi_schema["paths"].items())
            for method, operation in methods.items()
            if isinstance(operation, dict)
        )
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])} API</title>'
            f"<style>{_STYLE}</style><h1>{escape(info['title'])} {escape(info['version'])}</h1>"
            f"<p>{escape(info.get('description', ''))} The same for machines: "
            f'<a href="/docs/openapi.json">openapi.json</a>.</p>{routes}</html>'
        ).encode()


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    parameters = "".join(
        f"<dt><code>{escape(p['name'])}</code> ({escape(p['in'])}{', required' if p.get('required') else ''})</dt>"
        f"<dd>{escape(p.get('description', ''))}</dd>"
        for p in operation.get("parameters", ())
    )
    answers = "".join(
        f"<li><code>{escape(status)}</code> {escape(answer.get('description', ''))}</li>"
        for status, answer in operation.get("responses", {}).items()
    )
    return (
        f'<h2><span class="method">{escape(method.upper())}</span> <code>{escape(path)}</code></h2>'
        f"<p>{escape(operation.get('summary', ''))}. {escape(operation.get('description', ''))}</p>"
        f"<dl>{parameters}</dl><ul>{answers}</ul>"
    )
