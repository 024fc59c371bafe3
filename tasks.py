"""The commands of this project: `invoke --list`, `invoke --help COMMAND`. Options are hdss7/options.py's."""

from __future__ import annotations

from hdss7.startup import tune_startup

tune_startup()

from pathlib import Path

from invoke import Collection
from invoke.program import Program

from hdss7 import options as o
from hdss7.argv import install_strict_parser
from hdss7.command import command
from hdss7.options import Options

ROOT = Path(__file__).resolve().parent
install_strict_parser(Program)


@command(*o.LOGIN, *o.CHOSEN, o.CHECK, o.DIFF, o.WAIT, o.FORCE, o.PRUNE, o.PLAN, *o.OUTPUT)
def deploy(options: Options) -> int:
    """Make hosts what the roles declare: ask each once, change only what differs, read it back."""
    from hdss7 import deploy

    return deploy.deploy(ROOT, options)


@command(*o.LOGIN, *o.CHOSEN, o.DIFF, o.PRUNE, o.SAVE, *o.OUTPUT)
def plan(options: Options) -> int:
    """Show what deploy would change, line by line, and change nothing; exit 2 when something differs."""
    from hdss7 import deploy

    return deploy.plan(ROOT, options)


@command(*o.LOGIN, o.RUN, *o.OUTPUT)
def history(options: Options) -> int:
    """Show which runs have changed hosts: when, by whom, from which commit; --run RUN: what that one changed."""
    from hdss7 import history

    return history.history(ROOT, options)


@command(*o.LOGIN, o.RESOURCE, o.PATH, *o.OUTPUT)
def blame(options: Options) -> int:
    """Show who made a resource or a path what it is: run, person, role and line, variables."""
    from hdss7 import history

    return history.blame(ROOT, options)


@command(*o.DECLARED, o.LIMIT, o.RESOURCE, o.PATH, *o.OUTPUT)
def why(options: Options) -> int:
    """Show what a resource rests on: variable, where it is set and used, file, what follows; no host is asked."""
    from hdss7 import why

    return why.why(ROOT, options)


@command(*o.LOGIN, o.RUN, o.CHECK, o.DIFF, o.WAIT, o.FORCE, *o.OUTPUT)
def rollback(options: Options) -> int:
    """Undo a run (the last, or --run RUN) as a deploy of what was before it: planned, shown, read back."""
    from hdss7 import history

    return history.rollback(ROOT, options)


@command(*o.LOGIN, o.EXPRESSION, o.DEEP, o.JUNIT, o.VERBOSE)
def verify(options: Options) -> int:
    """Prove that the site works, from outside and from every node: every promise is a check."""
    from hdss7 import verify

    return verify.verify(ROOT, options)


@command(*o.LOGIN, *o.OUTPUT)
def ping(options: Options) -> int:
    """Log in to hosts, sudo included, and say what answered and how fast."""
    from hdss7 import adhoc

    return adhoc.ping(ROOT, options)


@command(*o.LOGIN, o.TIMEOUT, *o.OUTPUT, words=True)
def run(options: Options) -> int:
    """Run a command on hosts, side by side: invoke run --limit nodes -- uptime."""
    from hdss7 import adhoc

    return adhoc.run(ROOT, options)


@command(*o.DECLARED, o.LIMIT, *o.OUTPUT)
def lint(options: Options) -> int:
    """Check everything that needs no host: inventory, settings, plays, roles, templates, manifests."""
    from hdss7 import inspect

    return inspect.lint(ROOT, options)


@command(*o.LOGIN, *o.OUTPUT)
def rules(options: Options) -> int:
    """Show what each node's kernel holds for every Service, and whether the API knows it."""
    from kubeproxy import commands

    return commands.rules(ROOT, options)


@command(*o.LOGIN, o.CHECK, o.WAIT, *o.OUTPUT)
def clean(options: Options) -> int:
    """Remove the stale rules of proxy.rules, after showing them; never what is known or foreign."""
    from kubeproxy import commands

    return commands.clean(ROOT, options)


@command(o.PATTERN, *o.DECLARED, *o.OUTPUT, default=True)
def show(options: Options) -> int:
    """Show which hosts a pattern means: invoke hosts --pattern 'nodes:!hdss7-22'."""
    from hdss7 import inspect

    return inspect.hosts(ROOT, options)


@command(o.HOST, *o.DECLARED, o.YES)
def trust(options: Options) -> int:
    """Fetch a host's key, show its fingerprint, and write it into known_hosts once you say yes."""
    from hdss7 import trust

    return trust.trust(ROOT, options)


@command(o.INVENTORY, o.LAB, o.BARE, o.VM, *o.VAULT)
def up(options: Options) -> int:
    """Start the embedded lab: bare hosts of an inventory, on this machine, reachable from here only."""
    from hdss7 import quickstart

    return quickstart.up(ROOT, options)


@command(o.LAB, o.PURGE)
def down(options: Options) -> int:
    """Stop the lab without a trace; its disks stay, unless --purge."""
    from lab import commands

    commands.down(options.lab_name, purge=options.purge)
    return 0


@command(o.LAB)
def status(options: Options) -> int:
    """Show the lab's hosts, and whether they run."""
    from lab import commands

    commands.status(options.lab_name)
    return 0


@command(o.HOST, o.LAB, words=True)
def exec_(options: Options) -> int:
    """Run a command on a lab host without SSH: invoke lab.exec hdss7-21 -- kubectl get nodes."""
    from lab import commands

    return commands.execute(options.lab_name, options.host or "", options.words)


@command(o.HOST, o.LAB)
def ssh(options: Options) -> int:
    """Log in to a lab host with this machine's ssh."""
    from lab import commands

    return commands.ssh(options.lab_name, options.host or "")


@command(o.HOST, o.LAB, o.HARD)
def reboot(options: Options) -> int:
    """Reboot a lab host, and return when it answers again."""
    from lab import commands

    commands.reboot(options.lab_name, options.host or "", hard=options.hard)
    return 0


@command(o.LAB, o.PORT, o.PROXY, o.SITE_NAME)
def open_(options: Options) -> int:
    """Show the lab's site to this machine's own browser, on 127.0.0.1, until Ctrl-C."""
    from lab.port_forward import open_site

    open_site(options.lab_name, options.port, options.proxy_port, options.host or "")
    return 0


hosts = Collection("hosts", show, trust)
proxy = Collection("proxy", rules, clean)
lab = Collection("lab", up, down, status, ssh, reboot)
lab.add_task(exec_, name="exec")
lab.add_task(open_, name="open")
namespace = Collection(deploy, plan, history, blame, why, rollback, verify, ping, run, lint, hosts, proxy, lab)
