"""A check: one statement about one host, written as a generator that asks and then asserts.

    @check
    def test_the_mode(node: Node, settings: Settings) -> Checking:
        '''kube-proxy runs in the mode that was set'''
        mode = yield node.sh("curl -fsS http://127.0.0.1:10249/proxyMode")
        assert mode.text == settings.mode, f"/proxyMode says {mode}, the setting says {settings.mode}"

It names what it needs as parameters, as with pytest: node (the host that the check is about), site, settings (the
role's), declared (the host's resources), outside, browser. What all checks ask at a time travels together, so two
hundred cost hardly more than one.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provision.usage import usage
from provision.verify.commands import SECONDS, Answer, Ask, Reply, http
from provision.verify.locations import OUTSIDE

if TYPE_CHECKING:
    from provision.inventory import Host

FOLDER, PACKAGE = "tests/verify", "tests.verify"  # where a project keeps its checks, and how they import one another
Checking = Generator["Ask | Many", Answer, None]
Body = Callable[..., Checking]
GIVEN = frozenset({"node", "site", "settings", "declared", "outside", "browser"})


class NotHere(Exception):  # noqa: N818 - not an error: the site has nothing that the check is about
    """Raised by a check that means nothing on this site or host: `raise NotHere("the site has no demo workload")`."""


@dataclass
class Many:
    """Several questions that a check asks at the same time; their answers once they are there."""

    asks: tuple[Ask, ...]
    answers: list[Answer] = field(default_factory=list)


def gather(asks: Iterable[Ask]) -> Generator[Ask | Many, Answer, list[Answer]]:
    """Ask all of them at the same time: `answers = yield from gather(node.sh(c) for c in commands)`."""
    many = Many(tuple(asks))
    if many.asks:
        yield many
    return many.answers


@dataclass(frozen=True)
class Place:
    """Somewhere commands run: a location by name."""

    name: str

    def sh(self, command: str, timeout: float = SECONDS) -> Ask:
        """A command of sh, run here. timeout: seconds."""
        return Ask(self.name, command, timeout)

    def http(
        self, url: str, *, host: str = "", headers: Mapping[str, str] | None = None
    ) -> Generator[Ask | Many, Answer, Reply]:
        """Ask a URL from here: `reply = yield from place.http(...)`. host: the Host header, if not the URL's."""
        return Reply.of((yield self.sh(http(url, host=host, headers=headers))))


@dataclass(frozen=True)
class Node(Place):
    """A host of the inventory, as checks see it."""

    address: str
    host: Host

    @staticmethod
    def of(host: Host) -> Node:
        """The host as a place."""
        return Node(host.name, host.address, host)

    def group(self, name: str) -> tuple[Node, ...]:
        """The hosts of a group; none if there is no such group."""
        return tuple(Node.of(h) for h in self.host.group(name)) if name in self.host.inventory.groups else ()


OUTSIDE_PLACE = Place(OUTSIDE)


@dataclass(frozen=True)
class Check:
    """A check bound to what it is about. sentence: what it states. start: begins the check anew."""

    identity: str
    host: str
    sentence: str
    start: Callable[[], Checking]


def check(body: Body) -> Callable[..., None]:
    """Makes a pytest test of a generator. The first line of its docstring is the sentence that reports print."""

    @functools.wraps(body)
    def test(**_: Any) -> None:
        raise AssertionError(f"this check runs by `{usage('verify')}`, which asks the hosts")

    # pytest sees what it has to fill in: the host, and what @pytest.mark.parametrize names; all else comes from us
    names = ["node", *(name for name in inspect.signature(body).parameters if name not in GIVEN)]
    test.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in names]
    )
    test.body = body  # type: ignore[attr-defined]
    return test


def body_of(function: Any) -> Body | None:
    """The generator inside a test that `check` made."""
    return getattr(function, "body", None)


def sentence(function: Any) -> str:
    """What a test states: its docstring's first line, or its name in words."""
    text = inspect.getdoc(function) or function.__name__.removeprefix("test_").replace("_", " ")
    return text.strip().splitlines()[0].rstrip(".")


def begin(body: Body, known: Mapping[str, Any]) -> Checking:
    """The check with the values of the parameters that it names. Raises TypeError for an unknown one."""
    names: Sequence[str] = list(inspect.signature(body).parameters)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise TypeError(f"{body.__name__} asks for {', '.join(unknown)}; a check can have {', '.join(sorted(known))}")
    return body(**{name: known[name] for name in names})
