"""Makes a short command start and end faster: less garbage collection, and no imports that it does not need."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from hdss7.generated_code import keep_generated_code
from provision.folders import cache_folder

YOUNG = 100_000  # objects made before Python looks for garbage; by default it looks after every 700
# Seconds: hosts are talked to while modules are imported, and none of their answers may wait for a module.
TURN = 0.0005


def tune_startup() -> None:
    """To be called before anything else is imported.

    Invoke (2.2.1) has every run compile all modules anew, unless it is told --write-pyc; here they are kept, as Python
    itself does it.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started this (`>&-`)
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - to the end of the process
    sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
    keep_generated_code(cache_folder("code", f"{sys.implementation.cache_tag}.bin"))
    gc.set_threshold(YOUNG, 50, 50)
    sys.setswitchinterval(TURN)
    atexit.register(gc.freeze)  # or Python would look through all that is left, just before it is all gone


@contextmanager
def lighter_invoke() -> Iterator[None]:
    """Invoke and Fabric, imported in this block, come without what nothing here uses.

    Invoke (2.2.1) makes a class for tests of unittest.mock, which brings asyncio, and has a second copy of the YAML
    that reads inventories.
    """
    import yaml

    mock = ModuleType("unittest.mock")
    mock.Mock = None  # type: ignore[attr-defined] # looked up by name, and called only by MockContext
    sys.modules["invoke.vendor.yaml"] = yaml
    sys.modules[mock.__name__] = mock
    try:
        yield
    finally:
        del sys.modules[mock.__name__]
