"""The pytest plugin: which checks run for which hosts, all at once, each reported as a sentence."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator, Sequence
from typing import Any

import pluggy
import pytest

from provision.errors import ProvisionError, UnreachableError
from provision.verify.checks import Check, Node, begin, body_of, sentence
from provision.verify.commands import Ask
from provision.verify.context import Context
from provision.verify.locations import HostLocation
from provision.verify.report import Checked, Report
from provision.verify.scheduler import Outcome, run_checks, sentence_of

BOOTING = 120.0  # what booted less than this many seconds ago is still given the rest of them
AGE = "awk '{print $22}' /proc/1/stat; cat /proc/uptime; getconf CLK_TCK"


class Verification:
    """The hooks of one run. Afterwards `report` holds the results."""

    def __init__(
        self, context: Context, report: Report, stop: threading.Event, retry_for: float, *, deep: bool = False
    ) -> None:
        self.context = context
        self.report = report
        self._stop = stop
        self._least = retry_for
        self._deep = deep
        self._outcomes: dict[str, Outcome] = {}
        self._testinfra: dict[str, Any] = {}

    def pytest_configure(self, config: pytest.Config) -> None:
        """The marks that checks may have."""
        config.addinivalue_line("markers", "on(pattern): the hosts that the check is about, if not those of the role")
        config.addinivalue_line("markers", "gate: needs only this node; runs before the next node changes")
        config.addinivalue_line("markers", "deep: takes long; runs with --deep only")

    @pytest.fixture
    def host(self, node: Node) -> Any:
        """testinfra's host for the `node` of an ordinary test: `assert host.service("nginx").is_running`."""
        from testinfra.host import Host

        from provision.verify.testinfra_backend import StepBackend

        if node.name not in self._testinfra:  # it keeps what it has found out about the host
            location = self.context.locations[node.name]
            assert isinstance(location, HostLocation)
            self._testinfra[node.name] = Host(StepBackend(location))
        return self._testinfra[node.name]

    def pytest_collection(self, session: pytest.Session) -> None:
        """An unknown hook in a conftest.py is bad input; pytest itself reports it only after collection."""
        try:
            session.config.pluginmanager.check_pending()
        except pluggy.PluginValidationError as error:
            raise pytest.UsageError(str(error)) from None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """A check with a `node` runs once for each host that it is about."""
        if "node" in metafunc.fixturenames:
            mark = next(metafunc.definition.iter_markers("on"), None)
            nodes = self.context.about(_role(metafunc.module), str(mark.args[0]) if mark else None)
            metafunc.parametrize("node", nodes, ids=[node.name for node in nodes])

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, None, None]:
        """Leaves out checks of hosts outside --limit and of roles that the site does not have; then -k selects."""
        items[:] = [item for item in items if self._concerned(item)]
        try:
            yield
        except pytest.UsageError as error:
            self.report.refused = str(error)
            items.clear()

    def _concerned(self, item: pytest.Item) -> bool:
        if not self._deep and next(item.iter_markers("deep"), None):
            return False
        if "node" not in getattr(item, "fixturenames", ()):
            return True
        node = _node(item)
        return node is not None and node.name in self.context.limited

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Asks everything that all checks want to know. (pytest goes on afterwards to report them one by one.)"""
        if session.testsfailed:
            return
        items = [item for item in session.items if body_of(getattr(item, "function", None))]
        self.report.begin(len(session.items), sorted({node.name for item in items if (node := _node(item))}))
        checks = [self._check(item) for item in items]
        self._outcomes = run_checks(checks, self.context.locations, retry_for=self._retry_for, stop=self._stop)
        if self._stop.is_set():
            session.items.clear()

    def _check(self, item: pytest.Item) -> Check:
        node = _node(item)
        assert node is not None
        body = body_of(item.function)  # type: ignore[attr-defined]
        assert body is not None
        parameters = item.callspec.params  # type: ignore[attr-defined]
        known = {**self.context.known(_role(item.module), node), **parameters}  # type: ignore[attr-defined]
        return Check(item.nodeid, node.name, sentence(item.function), lambda: begin(body, known))  # type: ignore[attr-defined]

    def _retry_for(self, left: Sequence[Check]) -> float:
        """Hosts that have just booted start their programs still: they get time, and a line says so."""
        hosts = [host.name for host in self.context.hosts]
        ages = [age for host in hosts if (age := self._age(host)) is not None]
        retry_for = max(self._least, BOOTING - min(ages, default=BOOTING))
        self.report.waiting([f"{p.host}: {p.sentence}" for p in left], retry_for)
        return retry_for

    def _age(self, host: str) -> float | None:
        """Seconds since the host's init started; None when it can't be asked."""
        question = Ask(host, AGE)
        try:
            words = self.context.locations[host].answers([question])[question].output.split()
            return float(words[1]) - int(words[0]) / int(words[3])
        except (ProvisionError, ValueError, IndexError):
            return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> object | None:
        """A check was asked already: here is how it went."""
        outcome = self._outcomes.get(pyfuncitem.nodeid)
        if outcome is None:
            return None
        if outcome.absent:
            pytest.skip(outcome.absent)
        if not outcome.passed:
            pytest.fail(outcome.found, pytrace=False)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Reports, the JUnit file's too, hold what came back and no traceback."""
        report = yield
        if call.excinfo is not None and not report.skipped:
            report.longrepr = _told(call.excinfo.value)
        node = _node(item)
        if report.when == "call" or report.failed or report.skipped:
            self.report.checked(
                Checked(
                    role=_role(getattr(item, "module", None)),
                    host=node.name if node else "",
                    sentence=sentence(item.function) if isinstance(item, pytest.Function) else item.name,
                    found=str(report.longrepr) if report.failed else "",
                    skipped=_reason(report.longrepr) if report.skipped else "",
                    unreachable=report.failed and self._unreachable(item, call),
                )
            )
        return report

    def _unreachable(self, item: pytest.Item, call: pytest.CallInfo[None]) -> bool:
        outcome = self._outcomes.get(item.nodeid)
        raised = call.excinfo is not None and isinstance(call.excinfo.value, UnreachableError)
        return raised or (outcome is not None and outcome.unreachable)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file of checks that can't be read."""
        if report.failed:
            self.report.unreadable(report.nodeid, str(report.longrepr))

    def pytest_internalerror(self, excrepr: Any) -> None:
        """A fault of this plugin or of pytest."""
        self.report.unread = True
        print(excrepr, file=sys.stderr)


def _role(module: Any) -> str:
    """tests/verify/test_NAME.py holds the checks of role NAME."""
    return str(getattr(module, "__name__", "")).rpartition(".")[2].removeprefix("test_")


def _node(item: pytest.Item) -> Node | None:
    callspec = getattr(item, "callspec", None)
    node = callspec.params.get("node") if callspec else None
    return node if isinstance(node, Node) else None


def _reason(longrepr: object) -> str:
    """Why a test was skipped: the last of pytest's (file, line, reason)."""
    return str(longrepr[-1]).removeprefix("Skipped: ") if isinstance(longrepr, tuple) else str(longrepr)


def _told(error: BaseException) -> str:
    """What an ordinary test came to: the message of its assertion, or the comparison that pytest shows instead."""
    if isinstance(error, AssertionError):
        return sentence_of(error)
    plain = isinstance(error, (pytest.fail.Exception, ProvisionError))
    return str(error) if plain else f"{type(error).__name__}: {error}"
