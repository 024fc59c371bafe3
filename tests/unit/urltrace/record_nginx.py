"""Asks a real nginx which server and location take a request, and writes the answers down for test_nginx_recorded.py.

    python -m tests.unit.urltrace.record_nginx NGINX > tests/unit/urltrace/recorded/nginx.json

Everything runs on 127.0.0.1 to 127.0.0.3 in a temporary folder.
"""

from __future__ import annotations

import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.unit.urltrace.record_traefik import free_port

MAIN = """\
daemon off; # master_process is off too: one process to end
master_process off;
pid nginx.pid;
error_log error.log;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;
    proxy_set_header X-From edge;
    upstream "back end" { server 127.0.0.1:1; }
    upstream pods {
        server 127.0.0.3:PORT max_fails=3 fail_timeout=10s;
        server 127.0.0.3:1 down;
        keepalive 4;
    }
    include sites/*.conf;
    include sites/.hidden.conf;
}
"""
SITES = {
    "sites/10-backend.conf": """\
server { listen 127.0.0.3:PORT; add_header X-Sent $http_host|$request_uri always; return 204; }
""",
    "sites/20-names.conf": """\
server { listen PORT; server_name first.example; {{first}} }
server {
    listen PORT default_server;
    server_name _;
    {{catch-all}}
}
server { listen PORT; server_name exact.od.com *.od.com; {{exact-and-wild}} }
server { listen PORT; server_name *.deep.od.com; {{deep}} }
server { listen PORT; server_name .dot.com; {{dot}} }
server { listen PORT; server_name www.*; {{trailing}} }
server { listen PORT; server_name www.exam.*; {{longer-trailing}} }
server { listen PORT; server_name "~^(?<user>.+)\\.re\\.com$"; {{regexp}} }
server { listen PORT; server_name ~^a.*\\.re\\.com$; {{second-regexp}} }
server { listen PORT; server_name ~^CAPS\\.; {{caps}} }
server { listen PORT; server_name exact.od.com; {{duplicate}} }
server { listen PORT; server_name ""; {{empty}} }
server { listen 127.0.0.2:PORT; server_name second.od.com; {{by-address}} }
server { listen 127.0.0.2:PORT; server_name exact.od.com; {{by-address-exact}} }
""",
    "sites/30-locations.conf": """\
server {
    listen PORT;
    server_name paths.test;
    location / { {{root}} }
    location = / { {{exact-root}} }
    location /images/ { {{images}} }
    location ^~ /static/ { {{static}} }
    location ~ \\.php$ { {{php}} }
    location ~* \\.(gif|jpg)$ { {{pictures}} }
    location = /exact { {{exact}} }
    location /outer/ {
        {{outer}}
        location /outer/inner/ { {{inner}} }
        location ~ \\.php$ { {{outer-php}} }
        location = /outer/same { {{outer-same}} }
    }
    location ^~ /quiet/ { {{quiet}} location ~ \\.php$ { {{quiet-php}} } }
    location "/with space/" { {{space}} }
    location /app/ { {{app}} proxy_pass http://pods; }
    location /kept/ { {{kept}} proxy_pass http://pods/; proxy_set_header Host $host; }
    location /literal/ { {{literal}} proxy_pass http://pods/base/; proxy_set_header Host other.example; }
    location = /bare { {{bare}} proxy_pass http://127.0.0.3:PORT; }
    location ~ ^/re/(?<rest>.*)$ { {{captured}} }
    location @named { {{named}} }
    location =/touching { {{touching}} }
    location ~/glued$ { {{glued}} }
}
server {
    listen PORT;
    server_name slashes.test;
    merge_slashes off;
    location /a//b { {{two-slashes}} }
    location /a/b { {{one-slash}} }
}
server {
    listen PORT;
    server_name none.test;
    {{no-location}}
    location /only/ { {{only}} }
}
""",
    "sites/.hidden.conf": "server { listen PORT; server_name hidden.test; {{hidden}} }\n",
    "sites/ignored.conf.bak": "this is not read",
}
HOSTS = """
    first.example unknown.example exact.od.com EXACT.od.com exact.od.com. any.od.com a.b.od.com od.com
    x.deep.od.com deep.od.com dot.com a.dot.com www.any.org www.exam.org www.exam.a.b bob.re.com a1.re.com
    caps.x CAPS.x second.od.com hidden.test exact.od.com:8080 - www.od.com
"""
PATHS = """
    / /x /images/a /images/a.gif /images/A.JPG /static/a.php /a.php /exact /exact/ /EXACT /outer/ /outer/x
    /outer/inner/x /outer/inner/x.php /outer/x.php /outer/same /outer /quiet/a.php /with%20space/x /app /app/
    /app/x?q=1 /kept /kept/x /literal/x /bare /re/ /re/x.php /images/../x /images%2Fa /images/%2e%2e/a.php
    //images/a /./images/./a /images/.. /.. /%zz /a%00 /x%3Fy.php /x%23y.php /a.php?x=1 /a.php/ /touching
    /some/glued /a%25.php /images/.
"""


def texts(port: int) -> dict[str, str]:
    """The files, with what names the block in the answer in place of each {{mark}}."""

    def marked(found: re.Match[str]) -> str:
        return f"add_header X-Where {found[1]} always;{'' if found[1] in SILENT else ' return 204;'}"

    written = {"nginx.conf": MAIN, **SITES}
    mark = re.compile(r"\{\{([a-z-]+)\}\}")
    return {name: mark.sub(marked, text).replace("PORT", str(port)) for name, text in written.items()}


# these proxy, or only hold other locations
SILENT = ("app", "kept", "literal", "bare", "outer", "quiet", "no-location")


def cases() -> list[dict[str, str]]:
    chance = random.Random(5)
    local, other = "127.0.0.1", "127.0.0.2"
    names = [{"address": address, "host": host, "path": "/"} for host in HOSTS.split() for address in (local, other)]
    paths = [{"address": local, "host": "paths.test", "path": path} for path in PATHS.split()]
    merged = ("/a//b", "/a/b", "/a//../b", "/a/./b")
    slashes = [{"address": local, "host": "slashes.test", "path": path} for path in merged]
    none = [{"address": local, "host": "none.test", "path": path} for path in ("/only/x", "/only", "/other")]
    letters = ["/", "/", "a", "..", ".", "images", "static", "x.php", "%2F", "outer", "inner", "b.gif", "quiet", "app"]
    made = ["/" + "".join(chance.choices(letters, k=chance.randint(1, 6))) for _ in range(150)]
    return names + paths + slashes + none + [{**paths[0], "path": path} for path in made]


def ask(port: int, case: dict[str, str]) -> dict[str, Any]:
    host = [] if case["host"] == "-" else [f"Host: {case['host']}"]
    version = "1.1" if host else "1.0"
    lines = [f"GET {case['path']} HTTP/{version}", *host, "Connection: close", "", ""]
    with socket.create_connection((case["address"], port), timeout=5) as line:
        line.sendall("\r\n".join(lines).encode())
        answer = b""
        while part := line.recv(65536):
            answer += part
    head = answer.split(b"\r\n\r\n")[0].decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    return {"status": int(head[0].split()[1]), **{key: headers.get(f"x-{key}", "") for key in ("where", "sent")}}


def main(binary: str) -> None:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name, text in texts(port).items():
            Path(folder, name).parent.mkdir(exist_ok=True)
            Path(folder, name).write_text(text)
        command = [binary, "-p", folder, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log"]
        dump = subprocess.run([*command, "-T"], capture_output=True, text=True, check=True).stdout
        with subprocess.Popen(command) as process:
            try:
                for _ in range(50):
                    with socket.socket() as line:
                        if line.connect_ex(("127.0.0.1", port)) == 0:
                            break
                    time.sleep(0.1)
                answers = [{**case, **ask(port, case)} for case in cases()]
            finally:
                process.terminate()
    json.dump({"port": port, "dump": dump.replace(folder, "/etc/nginx"), "answers": answers}, sys.stdout, indent=0)
    print()


if __name__ == "__main__":
    main(sys.argv[1])
