"""A collector of spans, in place of an operator's."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Received(NamedTuple):
    """A span; ``name`` begins with that of its service, ``parent_id`` is empty for the first one of a trace."""

    name: str
    span_id: bytes
    parent_id: bytes


class Collector:
    """Takes OTLP over HTTP; waits with every answer until it is allowed."""

    def __init__(self) -> None:
        """Listen on a free port of the loopback."""
        self.spans: list[Received] = []
        """Those that were answered."""
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        collector = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
                collector.asked.set()
                collector.may_answer.wait(60)
                for one in sent.resource_spans:
                    service = {attribute.key: attribute.value.string_value for attribute in one.resource.attributes}
                    for scope in one.scope_spans:
                        collector.spans += [
                            Received(f"{service['service.name']} {span.name}", span.span_id, span.parent_span_id)
                            for span in scope.spans
                        ]
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def names(self) -> list[str]:
        """Return service and name of each span."""
        return [span.name for span in self.spans]

    def path_to(self, name: str) -> list[str]:
        """Return the names from the first span of a trace to the first one of this name; empty if it is not there."""
        by_id = {span.span_id: span for span in self.spans}
        span = next((one for one in self.spans if one.name == name), None)
        path: list[str] = []
        while span is not None:
            path.insert(0, span.name)
            span = by_id.get(span.parent_id)
        return path

    def close(self) -> None:
        """Answer what waits, then stop."""
        self.may_answer.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
