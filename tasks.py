"""What `invoke` finds in a clone: the commands of hdss7/commands.py. Installed, the command `hdss7` has the same."""

from hdss7.tasks import namespace

__all__ = ["namespace"]
