"""The toolkit's own folders on the controller: `$XDG_STATE_HOME/hdss7` and `$XDG_CACHE_HOME/hdss7`."""

from __future__ import annotations

from pathlib import Path

import platformdirs

NAME = "hdss7"


def state_folder(*parts: str) -> Path:
    """Where runs, logs and labs are kept, or `parts` below it; by default in ~/.local/state. It need not exist yet."""
    return platformdirs.user_state_path(NAME, appauthor=False).joinpath(*parts)


def cache_folder(*parts: str) -> Path:
    """Where anything is kept that can be made again, or `parts` below it; by default in ~/.cache."""
    return platformdirs.user_cache_path(NAME, appauthor=False).joinpath(*parts)
