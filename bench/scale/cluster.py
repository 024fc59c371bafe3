"""A scheduler of dask and its workers, beside small hosts: each worker in a network of its own, with a cable to cut."""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.scale.farm import Farm
from provision.atomic import replace_file
from provision.errors import FailedError

SCHEDULER = "10.62.0.1"
URL = f"tls://{SCHEDULER}:8786"
THREADS = 34
UP_WITHIN = 60.0
LOST_AFTER = "20s"  # when the scheduler gives a worker up that sends nothing


@dataclass(frozen=True)
class Cluster:
    """A scheduler with workers that run. environment: names the certificates to everyone."""

    farm: Farm
    environment: Mapping[str, str]
    scheduler: subprocess.Popen[bytes]
    workers: Sequence[subprocess.Popen[bytes]]
    logs: Path

    def cpu(self) -> float:
        """CPU seconds of scheduler and workers so far: proc(5), stat, utime and stime."""
        fields = [
            Path(f"/proc/{each.pid}/stat").read_text().rpartition(") ")[2].split()
            for each in (self.scheduler, *self.workers)
        ]
        return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")

    def kill(self, worker: int) -> None:
        """SIGKILL to one of the workers."""
        self.workers[worker].kill()

    def cut(self, worker: int) -> None:
        """Pulls the cable of one of the workers."""
        subprocess.run([*self.farm.inside, "ip", "link", "set", f"w{worker}", "down"], check=True)


@contextlib.contextmanager
def cluster(farm: Farm, count: int) -> Iterator[Cluster]:
    """So many workers, which end with the block. Raises FailedError when they do not come up."""
    logs = farm.folder / "cluster"
    environment = {**os.environ, **_settings(certificates(logs))}
    with contextlib.ExitStack() as stack:
        subprocess.run([*farm.inside, "ip", "addr", "replace", f"{SCHEDULER}/32", "dev", "lo"], check=True)
        inside = [*farm.inside, sys.executable, "-m", "distributed.cli.dask_scheduler"]
        scheduler = _start([*inside, "--host", f"tls://{SCHEDULER}", "--no-dashboard"], logs, "scheduler", environment)
        stack.callback(_end, scheduler)
        workers = []
        for number in range(count):
            workers.append(_worker(farm, number, logs, environment))
            stack.callback(_end, workers[-1])
        made = Cluster(farm, environment, scheduler, workers, logs)
        _await(made)
        yield made


def certificates(folder: Path) -> Mapping[str, Path]:
    """An authority and one certificate of it, for scheduler, workers and clients alike: ca, cert and key by name."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.UTC)
    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    files = {}
    for name, key in (("ca", authority), ("cert", own)):
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"bench {name}")])
        issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench ca")])
        made = (
            x509.CertificateBuilder(issuer, subject, key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(name == "ca", None), critical=True)
            .sign(authority, hashes.SHA256())
        )
        files[name] = folder / f"{name}.pem"
        replace_file(files[name], made.public_bytes(form.Encoding.PEM))
    files["key"] = folder / "key.pem"
    replace_file(files["key"], own.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
    return files


def _settings(files: Mapping[str, Path]) -> Mapping[str, str]:
    tls = "DASK_DISTRIBUTED__COMM__TLS__"
    both = [(role, kind) for role in ("SCHEDULER", "WORKER", "CLIENT") for kind in ("CERT", "KEY")]
    return {
        f"{tls}CA_FILE": str(files["ca"]),
        **{f"{tls}{role}__{kind}": str(files[kind.lower()]) for role, kind in both},
        "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True",
        "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": LOST_AFTER,
    }


def _worker(farm: Farm, number: int, logs: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A worker that waits for its cable before it starts."""
    address = f"10.61.{number}.2"
    module = [sys.executable, "-m", "distributed.cli.dask_worker", URL, "--host", address]
    options = ["--nthreads", str(THREADS), "--no-nanny", "--no-dashboard", "--name", f"worker-{number}"]
    options += ["--local-directory", str(logs)]
    waiting = ["sh", "-c", 'until ip -o link show eth0 up 2>/dev/null | grep -q eth0; do sleep 0.05; done; exec "$@"']
    process = _start(["unshare", "--net", *waiting, "sh", *module, *options], logs, f"worker-{number}", environment)
    there = f"/proc/{process.pid}/ns/net"
    until = time.monotonic() + UP_WITHIN
    while os.readlink(there) == os.readlink("/proc/self/ns/net") and time.monotonic() < until:
        time.sleep(0.01)
    device = f"w{number}"
    subprocess.run([*farm.inside, "ip", "link", "del", device], check=False, capture_output=True)
    for argv in (
        ["ip", "link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", str(process.pid)],
        ["ip", "addr", "add", f"10.61.{number}.1/30", "dev", device],
        ["ip", "link", "set", device, "up"],
    ):
        subprocess.run([*farm.inside, *argv], check=True)
    for argv in (
        ["ip", "addr", "add", f"{address}/30", "dev", "eth0"],
        ["ip", "link", "set", "lo", "up"],
        ["ip", "link", "set", "eth0", "up"],
        ["ip", "route", "add", "default", "via", f"10.61.{number}.1"],
    ):
        subprocess.run(["nsenter", f"--net={there}", *argv], check=True)
    return process


def _start(argv: list[str], logs: Path, name: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    with (logs / f"{name}.log").open("ab") as log:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()


def _await(made: Cluster) -> None:
    """Waits until the scheduler has written of every worker that it registered."""
    until = time.monotonic() + UP_WITHIN
    log = made.logs / "scheduler.log"
    while log.read_text().count("Register worker") < len(made.workers):
        if time.monotonic() > until:
            raise FailedError("the workers did not come up", found=log.read_text()[-500:], do=f"See {made.logs}")
        time.sleep(0.1)
