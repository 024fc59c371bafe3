"""Which programs of the controller the builds call, and the Debian package that brings each."""

from __future__ import annotations

import shutil

from provision.errors import InputError

# Everything else that is called (sh, setpriv, unshare, dpkg-deb) is essential in Debian and Ubuntu.
PACKAGES = {
    "mmdebstrap": "mmdebstrap debian-archive-keyring",  # Ubuntu doesn't know Debian's keys by itself
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "setpriv": "util-linux",
    "unshare": "util-linux",
}


def commands() -> dict[str, str]:
    """Command -> Debian package (or several, with blanks between), for the lab's preflight and for `make`."""
    return dict(PACKAGES)


def require(command: str) -> None:
    """Raise InputError, with the package to install, unless `command` can be run."""
    if shutil.which(command) is None:
        package = PACKAGES.get(command)
        raise InputError(
            f"the lab cannot be built without the command {command}",
            found="it is not installed on this machine",
            do=f"Install it: apt-get install {package}" if package else "",
        )
