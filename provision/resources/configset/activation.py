"""How a program takes in a new configuration set."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import ClassVar

from provision.remote.shell import Scripts
from provision.resources.configset.marks import mark, marked_lines, replace_marks

_SCRIPTS = Scripts(__file__)


class Activation(ABC):
    """How a program takes a new configuration in. Each method returns sh, which fails with a non-zero code.

    service: the program's unit. replaces: the unit of another program on the same ports, which makes room for this one;
    '': there is none.
    """

    service: str
    replaces: str = ""

    def complete(self) -> str:
        """Adds to the set at $NEW, whose folder is named as the release, what only the host can know.

        $CURRENT is the set in use, if there is one.
        """
        return ":"

    def completes(self, name: str) -> bool:
        """Whether this file of the set is one that `complete` adds."""
        return False

    @abstractmethod
    def validate(self) -> str:
        """Checks the whole tree staged at $STAGED, the working directory; prints what is wrong on stderr."""

    @abstractmethod
    def activate(self) -> str:
        """Makes the program read the tree, and fails unless the new configuration is the one that runs."""

    def older(self) -> str:
        """Prints how many processes of older configurations still serve connections that were open.

        '': the program has none such.
        """
        return ""

    def handover(self) -> str:
        """Prints for a plan what the change costs clients because another program goes first.

        '': there is no other program.
        """
        return _SCRIPTS.text("serves") + _SCRIPTS.call("handover", OTHER=self.replaces) if self.replaces else ""


class LoadBalancer(Activation):
    """A program that sends requests on to several hosts and can stop sending new ones to some of them.

    Its files carry a mark (marks.py) wherever a host can be drained. error_log: where it says what failed, a file
    or a command that shows it.

    out: what its file has there instead while the host is out. out_ends: an expression for what follows that.
    server: an expression whose group is whom a line sends to, as the program's own language names it.
    """

    error_log: str
    out: ClassVar[bytes]
    out_ends: ClassVar[bytes]
    server: ClassVar[re.Pattern[bytes]]

    def with_drained(self, content: bytes, drained: Collection[str]) -> bytes:
        """A file of the set as the program reads it while these hosts are drained: no mark is left in it."""
        return replace_marks(content, lambda host: self.out if host in drained else b"")

    def with_marks(self, content: bytes, declared: bytes) -> bytes:
        """The reverse: a file as the program read it, with the marks that `declared` has on the same lines."""
        for server, host in marked_lines(declared).items():
            line = re.compile(rb"^%s(?:%s)?(?=%s)" % (re.escape(server), self.out, self.out_ends), re.M)
            content = line.sub((server + mark(host).encode()).replace(b"\\", rb"\\"), content)
        return content

    def servers(self, content: bytes) -> frozenset[bytes]:
        """Whom a file of the set, or a part of one, sends to."""
        return frozenset(self.server.findall(content))

    def count_connections(self, address: str, port: int) -> str:
        """sh that prints how many connections to a host it leads requests on. '': all that are open do."""
        return ""
