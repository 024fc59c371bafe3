"""The browser of `invoke verify`, on pages of a server of this test's own, on 127.0.0.1."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from provision.verify.browser import Browser, BrowserLocation


class Late(BaseHTTPRequestHandler):
    """Shows what is new from the second load on, and never by itself: as a dashboard that asks once."""

    loads = 0

    def do_GET(self) -> None:
        page = self.path.split("?")[0] == "/"
        type(self).loads += page
        body = f"<p>{'the route' if self.loads > 1 else 'nothing yet'}</p>" if page else ""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def late() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Late) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/#/routers"
        server.shutdown()


def test_a_page_is_reloaded_until_it_shows_the_text(late: str, tmp_path: Path) -> None:
    location = BrowserLocation(None, tmp_path)
    there = Browser().sees(late, "the route", address="", screenshot="late")
    answer = location.answers([there])[there]
    assert (answer.ok, answer.text) == (True, "the route")
    assert (tmp_path / "late.png").read_bytes().startswith(b"\x89PNG")
    never = Browser().sees(late, "what nobody wrote", address="", screenshot="never", seconds=2)
    assert not location.answers([never])[never].ok
