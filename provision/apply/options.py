"""What an operator chose for one run."""

from __future__ import annotations

from dataclasses import dataclass, field

from provision.plan.planfile import SavedPlan
from provision.remote.host import Reach, RemoteHost
from provision.remote.lock import Holder


@dataclass(frozen=True)
class RunOptions:
    """How a run works.

    check: change nothing. forks: hosts at a time, 0 for as many as suit the machine. reach: makes of a login the host
    that a run connects to: by itself, or by a worker. wait: seconds for hosts that another run changes.
    force: change nodes without draining them. prune: remove orphans, which are only listed otherwise.
    command, rollback_of: what hosts write down about the run. agreed: the saved plan that alone may be applied.
    holder: who runs it and the run's name.
    """

    check: bool = False
    forks: int = 0
    reach: Reach = RemoteHost
    wait: float = 0
    force: bool = False
    prune: bool = False
    command: str = "deploy"
    rollback_of: str = ""
    agreed: SavedPlan | None = None
    holder: Holder = field(default_factory=Holder)
