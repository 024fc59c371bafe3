"""What a play changed on a host, taken back at once: over the same session, by the run that changed it.

What `invoke rollback` does of whole runs this does of one play, before the run ends: the journal says what stood there,
that becomes the declaration, it is compared, changed where it differs, read back, and written down.
"""

from __future__ import annotations

import threading

from provision.apply.events import Listener, Reverted
from provision.apply.host import apply, plan
from provision.apply.run import HostRun
from provision.facts.gather import answer
from provision.history.journal import JournalQuestion
from provision.history.rollback import undoing


def revert(host: HostRun, play: int, emit: Listener) -> str:
    """Undoes what changed `host` since `host.begun`, in the play of this number.

    Returns what of it stays, and why; '' for nothing. Raises ProvisionError when it can't be undone. Nothing interrupts
    it: half undone would be worse than either.
    """
    journal, session = host.journal, host.session
    if journal is None or session is None or journal.count == host.begun:
        return ""
    asked = JournalQuestion(journal.run, contents=True)
    (written,) = answer(session, [asked])[asked]
    back = undoing(written, lambda role: play, after=host.begun)
    found = plan(session, host.name, back.declarations)
    mine = journal.taking_back({made.key: made.flag for made in found.managed})
    done = list(apply(session, host.name, found.items, emit, threading.Event(), around=mine.around))
    host.reverted += done
    host.applied = [applied for applied in host.applied if applied.item.declaration.play != play]
    host.finished.discard(play)
    emit(Reverted(host.name, tuple(applied.item.resource.key for applied in done), back.lasting))
    return "; ".join(back.lasting)
