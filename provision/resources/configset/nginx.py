"""How nginx takes in a configuration."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from provision.resources.configset.activation import LoadBalancer
from provision.resources.configset.marks import mark, marked_lines, replace_marks

RELEASE = "release.conf"
DOWN = b" down"  # of a server in an upstream: gets no new request, and running ones end (measured with 1.22.1)


@dataclass(frozen=True)
class Nginx(LoadBalancer):
    """`nginx -t` on the staged tree, reload, and proof that the new configuration runs.

    `nginx -s reload` returns 0 although the new configuration could not bind, and the old one goes on serving: only a
    new worker, no old one that still accepts, and no last [emerg] since the mark say that it was taken (measured
    with 1.22.1).

    A template marks a server before the semicolon: `server 10.4.7.21:81 max_fails=3{{ drain(node) }};`.

    answer: ADDRESS:PORT where only the running configuration says which set it is. The set then has a server for it,
    release.conf, that the main file has to include: `include site/release.conf;`.
    """

    answer: str = ""
    service: str = "nginx"
    error_log: str = "/var/log/nginx/error.log"
    pidfile: str = "/run/nginx.pid"

    def complete(self, new: str, now: str) -> str:
        server = f'server {{ listen {self.answer}; access_log off; return 200 "%s"; }}\\n'
        return f"printf '{server}' \"$(basename {new})\" >{new}/{RELEASE}" if self.answer else ":"

    def completes(self, name: str) -> bool:
        return bool(self.answer) and name == RELEASE

    def with_drained(self, content: bytes, drained: Collection[str]) -> bytes:
        return replace_marks(content, lambda host: DOWN if host in drained else b"")

    def with_marks(self, content: bytes, declared: bytes) -> bytes:
        for server, host in marked_lines(declared).items():
            line = re.compile(rb"^" + re.escape(server) + rb"(?:%s)?(?=;)" % DOWN, re.M)
            content = line.sub((server + mark(host).encode()).replace(b"\\", rb"\\"), content)
        return content

    def validate(self, staged: str) -> str:
        # a conflicting server name is only a [warn], yet the second server never answers
        return (
            f'o=$(nginx -t -c "{staged}/nginx.conf" 2>&1) || {{ printf "%s\\n" "$o" >&2; false; }} && '
            'case $o in *"conflicting server name"*) printf "%s\\n" "$o" >&2; false ;; esac'
        )

    def activate(self) -> str:
        return f"""  set -u
  log={self.error_log}; master=$(cat {self.pidfile} 2>/dev/null)
  mark=$(wc -c <$log 2>/dev/null || echo 0)
  told() {{  # what answers is this set; one of before, or a stranger's, does not say which it is
    {self._told}
  }}
  if ! systemctl is-active -q {self.service}; then
    systemctl restart {self.service} || {{ journalctl -u {self.service} -n 10 --no-pager -o cat >&2; exit 1; }}
    told || {{ sleep 1; told; }} && exit 0
    echo "nginx was started, but {self.answer} is not answered by this set" >&2
    exit 1
  fi
  workers=" $(cat /proc/$master/task/$master/children) "
  nginx -s reload || exit 1
  taken() {{  # a new worker serves, and no old one takes connections any more
    for w in $workers; do
      case $(tr '\\0' ' ' 2>/dev/null </proc/$w/cmdline) in ''|*'is shutting down'*) ;; *) return 1 ;; esac
    done
    for w in $(cat /proc/$master/task/$master/children); do
      case $workers in *" $w "*) ;; *) return 0 ;; esac
    done
    return 1
  }}
  n=80
  while [ $n -gt 0 ]; do
    n=$((n-1))
    # it tries a taken port five times within 2.5 s and may get it: only 'still could not bind()' is its last word
    ! tail -c +$((mark+1)) $log | grep -F '[emerg]' | grep -qvF 'bind() to' || break
    ! taken || {{ took=yes; ! told || exit 0; }}
    sleep 0.1
  done
  [ -z "${{took-}}" ] || {{
    echo "nginx took the new configuration, but {self.answer} is not answered by this set" >&2; exit 1
  }}
  echo "nginx did not take the new configuration:" >&2
  tail -c +$((mark+1)) $log | grep -F '[emerg]' | tail -n 5 >&2
  exit 1"""

    @property
    def _told(self) -> str:
        """sh that succeeds once the set in use is the one that answers."""
        said = f"curl -s -m 1 http://{self.answer}/"
        includes = f"grep -qsF site/{RELEASE} nginx.conf"
        return f'! {includes} || [ "$({said})" = "$(basename "$(readlink site)")" ]' if self.answer else ":"
