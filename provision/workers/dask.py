"""Workers on other machines: those of a scheduler of dask.distributed, by its interface of concurrent.futures.

What travels over it is what is written to hosts, and logins to them; whoever reaches a scheduler can also have its
workers run anything. So it is TLS with certificates for both ends, or nothing.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from provision.errors import FailedError, InputError
from provision.workers.workers import Worker, Workers

SCHEME = "tls://"
CONNECT = 10.0
FRESH = 1.0  # seconds for which the scheduler's list of its workers is good
CERTIFICATES = "DASK_DISTRIBUTED__COMM__TLS__CA_FILE, …__TLS__CLIENT__CERT and …__TLS__CLIENT__KEY"


@contextlib.contextmanager
def dask_workers(scheduler: str) -> Iterator[Workers]:
    """The workers that this scheduler (`tls://host:8786`) has now and will have.

    Raises InputError for one without TLS, without certificates or with other code; FailedError when it has no worker.
    """
    client = _client(scheduler)
    try:
        members = _Members(client)
        first = members.workers()
        if not first:
            raise FailedError(
                f"the scheduler {scheduler} has no worker",
                do=f"Start one: dask worker {scheduler} --nthreads 32, with its certificates",
            )
        with Workers(first, members.workers) as found:
            yield found
    finally:
        with contextlib.suppress(Exception):
            client.close(timeout=2)


def _client(scheduler: str) -> Any:
    if not scheduler.startswith(SCHEME):
        raise InputError(
            f"--scheduler {scheduler}: it does not speak TLS",
            found="a task carries logins and what is written to hosts, secrets too",
            do="Start scheduler and workers with --tls-ca-file, --tls-cert and --tls-key, and name tls://HOST:8786",
        )
    try:
        from distributed import Client, Security
    except ImportError:
        raise InputError(
            "--scheduler needs the package distributed, which is not installed here",
            do="Install it: pip install 'hdss7[distributed]'",
        ) from None
    for name in ("distributed", "tornado.application", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what it has to say of a lost worker is said by the run
    security = Security(require_encryption=True)
    if not (security.tls_ca_file and security.tls_client_cert and security.tls_client_key):
        raise InputError(
            f"--scheduler {scheduler}: no certificate is named to show it",
            do=f"Set {CERTIFICATES} (docs/many-machines.md)",
        )
    try:
        return Client(scheduler, security=security, timeout=CONNECT, set_as_default=False, name="hdss7")
    except (OSError, TimeoutError, ValueError) as error:
        first, *_ = [*str(error).splitlines(), ""]
        raise FailedError(
            f"the scheduler {scheduler} does not answer",
            found=f"{type(error).__name__}: {first}",
            do="Look whether it runs, and whether the certificates are of one authority",
        ) from None


class _Members:
    """The scheduler's workers, each as an executor of its own."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._threads: Mapping[str, int] = {}
        self._asked = 0.0

    def workers(self) -> list[Worker]:
        """Those that it knows now; one thread of each is kept free for beats."""
        return [
            Worker(address, self._executor(address), threads - 1, self._present(address))
            for address, threads in self._now().items()
            if threads > 1
        ]

    def _executor(self, address: str) -> Any:
        return self._client.get_executor(workers=[address], allow_other_workers=False, pure=False)

    def _present(self, address: str) -> Callable[[], bool]:
        return lambda: address in self._names()

    def _names(self) -> Collection[str]:
        with self._lock:
            if time.monotonic() - self._asked > FRESH:
                self._threads = self._now() or self._threads
                self._asked = time.monotonic()
            return self._threads

    def _now(self) -> Mapping[str, int]:
        """Threads by address; nothing when the scheduler does not answer, which a beat finds out too."""
        try:
            found: Mapping[str, int] = self._client.sync(self._client.scheduler.ncores, callback_timeout=CONNECT / 2)
        except Exception:  # dask raises whatever broke its line
            return {}
        return found
