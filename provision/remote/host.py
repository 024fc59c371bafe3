"""One host as a command uses it: one connection and one exec, opened when first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace

from provision.inventory.access import OPENSSH
from provision.remote.connection import Connection, Session
from provision.remote.local import LocalConnection
from provision.remote.login import Login
from provision.remote.openssh import OpenSshConnection
from provision.remote.protocol import Step, StepResult

AnyConnection = Connection | LocalConnection | OpenSshConnection


class RemoteHost:
    """A host and its only connection. After `close` the next `session` opens another one."""

    def __init__(self, login: Login) -> None:
        self.login = login
        self._connection: AnyConnection | None = None
        self._session: Session | None = None
        self._begun: Future[tuple[AnyConnection, Session]] | None = None
        self._closed: list[AnyConnection] = []

    @property
    def name(self) -> str:
        """The host's name in the inventory."""
        return self.login.name

    @property
    def connections(self) -> int:
        """Connections that were opened so far; none to the controller itself."""
        return sum(connection.connections for connection in self._every)

    @property
    def execs(self) -> int:
        """Execs that were started so far."""
        return sum(connection.execs for connection in self._every)

    @property
    def _every(self) -> tuple[AnyConnection, ...]:
        return (*self._closed, *((self._connection,) if self._connection else ()))

    def begin(self) -> None:
        """Starts to connect while its caller goes on: `session` returns or raises what comes of it."""
        if self.login.local:
            return
        self._begun = Future()
        if self.login.transport == OPENSSH:  # nothing is waited for: the program ssh connects by itself
            self._open(self._begun)
            return
        import fabric  # noqa: F401 - once, and not by the threads of all hosts side by side

        threading.Thread(target=self._open, args=(self._begun,), daemon=True).start()

    def _open(self, begun: Future[tuple[AnyConnection, Session]]) -> None:
        try:
            connection = connection_to(self.login)
            begun.set_result((connection, Session(connection)))
        except BaseException as error:
            begun.set_exception(error)

    def session(self) -> Session:
        """The one exec of this host. Raises UnreachableError."""
        if self._begun:
            begun, self._begun = self._begun, None
            self._connection, self._session = begun.result()
        if self._session is None:
            if self._connection is None:
                self._connection = connection_to(self.login)
            self._session = Session(self._connection)
        return self._session

    @property
    def moved(self) -> tuple[str, ...]:
        """The workers that were lost while they had this host."""
        return ()

    def cut(self) -> None:
        """Ends the connection at once; a started step runs to its end on the host."""
        if self._connection:
            self._connection.cut()

    def end(self) -> None:
        """Lets the exec end, and does not wait for it: the ends of many hosts take as long as one."""
        if self._session:
            self._session.end()

    def close(self) -> None:
        """Ends the connection in order."""
        if self._session:
            self._session.close()
        if self._connection:
            self._connection.close()
            self._closed.append(self._connection)
        self._session = self._connection = None


def connection_to(login: Login) -> AnyConnection:
    """A connection by the login's transport. Raises UnreachableError, at once or when its session begins."""
    if login.local:
        return LocalConnection(login)
    return OpenSshConnection(login) if login.transport == OPENSSH else Connection(login)


Reach = Callable[[Login], RemoteHost]


def first_of(begun: Iterable[RemoteHost], reach: Reach) -> Reach:
    """Gives out each of the hosts that are being connected to once, and whatever else is wanted as `reach` does."""
    left = {remote.name: remote for remote in begun}
    return lambda login: left.pop(login.name, None) or reach(login)


def over_fresh_connection(login: Login, step: Step, reach: Reach = RemoteHost) -> StepResult:
    """One step over a connection of its own: proof that the host can still be reached, whatever the last change did.

    Raises UnreachableError.
    """
    remote = reach(replace(login, fresh=True))
    try:
        return remote.session().run(step)
    finally:
        remote.close()
