"""What `invoke` finds in a clone: the commands of hdss7/commands.py. Installed, the command `hdss7` has the same."""

from hdss7.startup import tune_startup

tune_startup()

from invoke.program import Program

from hdss7.argv import install_strict_parser
from hdss7.commands import collection

install_strict_parser(Program)
namespace = collection()
