"""Reverts what a play changed on a host: at once, over the same session, in the run that changed it.

What `invoke rollback` does of whole runs this does of one play before the run ends: the journal says what was there
before, that becomes the declaration, and it is compared, applied, read back and recorded.
"""

from __future__ import annotations

import threading

from provision.apply.changes import apply
from provision.apply.events import Listener, Reverted
from provision.apply.host import plan
from provision.apply.run import HostRun
from provision.facts.gather import answer
from provision.history.journal import JournalQuestion
from provision.history.rollback import rollback_plan
from provision.remote.connection import Session


def revert(host: HostRun, session: Session, play: int, emit: Listener) -> str:
    """Undoes what the play of this number changed on a host.

    Returns what of it stays, and why; '' for nothing. Raises ProvisionError when it can't be undone. Nothing interrupts
    it: half undone would be worse than either.
    """
    changes = host.changes
    journal = changes.journal
    if journal is None or journal.count == changes.begun:
        return ""
    asked = JournalQuestion(journal.run, contents=True)
    (written,) = answer(session, [asked])[asked]
    rollback = rollback_plan(written, lambda role: play, after=changes.begun)
    found = plan(session, host.name, rollback.declarations)
    reverting = journal.for_revert({made.key: made.flag for made in found.managed})
    done = list(apply(session, host.name, found.items, emit, threading.Event(), around=reverting.around))
    changes.reverted += done
    changes.applied = [applied for applied in changes.applied if applied.item.declaration.play != play]
    changes.finished.discard(play)
    emit(Reverted(host.name, tuple(applied.item.resource.key for applied in done), rollback.lasting))
    return "; ".join(rollback.lasting)
