"""What ordinary tests beside the checks may use: testinfra's `host`, over the engine's own connection."""

from __future__ import annotations

from typing import Any

import pytest

from provision.errors import InputError
from provision.verify.checks import Node
from provision.verify.locations import HostLocation
from provision.verify.plugin import Verification


@pytest.fixture
def host(node: Node, request: pytest.FixtureRequest) -> Any:
    """testinfra's host for the `node` of the test: `assert host.service("nginx").is_running`."""
    from testinfra.host import Host

    from provision.verify.testinfra_backend import StepBackend

    location = _verification(request.config).context.locations[node.name]
    assert isinstance(location, HostLocation)
    return Host(StepBackend(location))


def _verification(config: pytest.Config) -> Verification:
    found = next((p for p in config.pluginmanager.get_plugins() if isinstance(p, Verification)), None)
    if found is None:
        raise InputError("these checks ask live hosts", do="Run them by: invoke verify")
    return found
