"""What `lab.open` and the file server of the ops host give. Needs root; makes a lab of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from lab import commands, network
from lab.state import Lab
from tests.lab.hosts import NAME, on

pytestmark = pytest.mark.usefixtures("purged")


class Echo(BaseHTTPRequestHandler):
    """Answers with the name that it was asked for."""

    def do_GET(self) -> None:
        body = f"{self.headers['Host']} {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def edge(running_lab: Lab) -> Iterator[None]:
    """Something that answers on port 80 of the edge, where nginx will be."""
    from http.server import ThreadingHTTPServer

    listener = network.socket_inside(network.namespace(running_lab, "hdss7-11"))
    listener.bind(("0.0.0.0", 80))
    listener.listen()
    server = ThreadingHTTPServer(listener.getsockname(), Echo, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


def test_open_shows_the_site_to_this_machines_own_browser(edge: None) -> None:
    port, proxy = free_port(), free_port()
    script = f"""
from lab.port_forward import open_site
open_site({NAME!r}, {port}, {proxy}, say=lambda line: print(line, flush=True))
"""
    local = ("--connect-to", f"::127.0.0.1:{port}")  # as browsers lead *.localhost
    through = ("--proxy", f"http://127.0.0.1:{proxy}")
    argv = [sys.executable, "-c", script]
    with subprocess.Popen(argv, cwd=commands.ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = list(iter(process.stdout.readline, f"HTTP proxy for *.od.com: 127.0.0.1:{proxy}\n"))
            assert any(f"http://demo.localhost:{port}/" in line and "demo.od.com" in line for line in said)
            assert curl(f"http://127.0.0.1:{port}/dashboard/") == "traefik.od.com /dashboard/"
            assert curl(*local, f"http://demo.localhost:{port}/a?b=c") == "demo.od.com /a?b=c"
            assert curl(*local, f"http://traefik.localhost:{port}/dashboard/") == "traefik.od.com /dashboard/"
            assert curl(*through, "http://demo.od.com/header?key=Host") == "demo.od.com /header?key=Host"
            assert curl(*through, "--proxytunnel", "http://demo.od.com/") == "demo.od.com /"
            assert "example.com is no name of the lab" in curl(*through, "http://example.com/")
            assert "did not answer" in curl(*through, "http://10.4.7.21:81/")
        finally:
            process.terminate()


def curl(*options: str) -> str:
    argv = ["curl", "--silent", "--max-time", "5", *options]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def test_the_file_server_names_no_folder_beyond_its_own(running_lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    (tmp_path / "www").mkdir()
    running_lab.served.unlink(missing_ok=True)
    running_lab.served.symlink_to(tmp_path / "www")
    done = on("hdss7-22", "curl --silent --path-as-is --write-out '%{http_code}' http://10.4.7.200/../secret")
    running_lab.served.unlink()
    assert done.stdout.endswith("404")
