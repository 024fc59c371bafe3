"""Every command: its options, its help, and what it calls.

`--list` imports this, so each command imports by itself what it needs.
"""

from __future__ import annotations

from invoke import Collection

from hdss7.command import command
from hdss7.options import CHOSEN, DECLARED, LOGIN, OUTPUT, SPREAD, VAULT, Options


@command(*LOGIN, *SPREAD, *CHOSEN, "check", "diff", "wait", "force", "prune", "plan", *OUTPUT)
def deploy(options: Options) -> int:
    """Bring hosts to the declared state: ask each once, change only what differs, read it back."""
    from hdss7 import deploy

    return deploy.deploy(options)


@command(*LOGIN, *SPREAD, *CHOSEN, "diff", "prune", "save", *OUTPUT)
def plan(options: Options) -> int:
    """Show what deploy would change, line by line, and change nothing; exit 2 when something differs."""
    from hdss7 import deploy

    return deploy.plan(options)


@command(*LOGIN, "run", *OUTPUT)
def history(options: Options) -> int:
    """Show the runs that changed hosts: when, by whom, from which commit; --run RUN: the changes of one run."""
    from hdss7 import history

    return history.history(options)


@command(*LOGIN, "resource", "path", *OUTPUT)
def blame(options: Options) -> int:
    """Show who last changed a resource or a path: run, person, role and line, variables."""
    from hdss7 import history

    return history.blame(options)


@command(*DECLARED, "limit", "resource", "path", *OUTPUT)
def why(options: Options) -> int:
    """Show what a resource depends on: variables, where they are set and used, what restarts; no host is asked."""
    from hdss7 import why

    return why.why(options)


@command(*LOGIN, "run", "check", "diff", "wait", "force", *OUTPUT)
def rollback(options: Options) -> int:
    """Undo a run (the last, or --run RUN) by deploying the previous state: planned, shown, read back."""
    from hdss7 import history

    return history.rollback(options)


@command(*LOGIN, *SPREAD, "k", "deep", "junit", "verbose")
def verify(options: Options) -> int:
    """Check that the site works, from outside and from every node."""
    from hdss7 import verify

    return verify.verify(options)


@command("url", *LOGIN, "method", "header", "from_host", "bundle", "replay", "with_file", "html", *OUTPUT)
def trace(options: Options) -> int:
    """Say why a URL does not answer: which hop is at fault, by what evidence, what to do; no host is changed."""
    from hdss7 import trace

    return trace.trace(options)


@command(*LOGIN, "urls", "for_time", "json")
def watch(options: Options) -> int:
    """Ask URLs each second, and say what changes: when one fails, why, and when it answers again."""
    from hdss7 import watch

    return watch.watch(options)


@command(*LOGIN, *SPREAD, *OUTPUT)
def ping(options: Options) -> int:
    """Log in to hosts, sudo included, and show how fast each one answers."""
    from hdss7 import adhoc

    return adhoc.ping(options)


@command(*LOGIN, *SPREAD, "timeout", *OUTPUT, words=True)
def run(options: Options) -> int:
    """Run a command on hosts in parallel: run --limit nodes -- uptime."""
    from hdss7 import adhoc

    return adhoc.run(options)


@command(*LOGIN, *OUTPUT, default=True)
def list_(options: Options) -> int:
    """List every certificate of the site: whose, on which host, in which file, until when; exit 1 if one ends soon."""
    from hdss7 import certs

    return certs.certs(options)


@command(*LOGIN, "wait", "force", *OUTPUT)
def renew(options: Options) -> int:
    """Order the edge's certificate from the ACME server if it is due, and put it on the edges; exit 1 if refused."""
    from hdss7.acme import renew

    return renew.renew(options)


@command(*LOGIN, *OUTPUT)
def backup(options: Options) -> int:
    """Take a snapshot of etcd: checked, and kept on the controller beside the site's keys."""
    from hdss7.etcd import backup

    return backup.backup(options)


@command(*(each for each in LOGIN if each != "limit"), "snapshot", "yes", "wait", *OUTPUT)
def restore(options: Options) -> int:
    """Make every member of etcd anew of a snapshot, once you say yes, and deploy the site on it."""
    from hdss7.etcd import restore

    return restore.restore(options)


@command(*DECLARED, "limit", *OUTPUT)
def lint(options: Options) -> int:
    """Check everything that needs no host: inventory, settings, plays, roles, templates, manifests."""
    from hdss7 import inspect

    return inspect.lint(options)


@command(*LOGIN, *OUTPUT)
def rules(options: Options) -> int:
    """Show kube-proxy's rules on each node and whether the API knows them."""
    from hdss7 import proxy

    return proxy.rules(options)


@command(*LOGIN, "check", "wait", *OUTPUT)
def clean(options: Options) -> int:
    """Remove the stale rules of proxy.rules, after showing them; never known or foreign rules."""
    from hdss7 import proxy

    return proxy.clean(options)


@command("file", "output", *OUTPUT)
def migrate(options: Options) -> int:
    """Write manifests of Traefik 1.7 as Traefik 3 needs them, and say line by line what was changed."""
    from hdss7.ingress import migrate

    return migrate.migrate(options)


@command("file", *LOGIN, *OUTPUT)
def check(options: Options) -> int:
    """Show which annotations of ingress-nginx this site's Traefik honours: of the cluster's Ingresses, or of --file."""
    from hdss7.ingress import check

    return check.check(options)


@command("pattern", *DECLARED, *OUTPUT, default=True)
def show(options: Options) -> int:
    """Show which hosts a pattern means: hosts --pattern 'nodes:!hdss7-22'."""
    from hdss7 import inspect

    return inspect.hosts(options)


@command("host", *DECLARED, "transport", "yes")
def trust(options: Options) -> int:
    """Fetch a host's key, show its fingerprint, and add it to known_hosts once you say yes."""
    from hdss7 import trust

    return trust.trust(options)


@command(*DECLARED, "limit")
def disconnect(options: Options) -> int:
    """End the connections that transport openssh keeps open: to the hosts within --limit, or all."""
    from hdss7 import disconnect

    return disconnect.disconnect(options)


@command("project", "inventory", "lab", "bare", "vm", *VAULT)
def up(options: Options) -> int:
    """Start the embedded lab: bare hosts of an inventory, on this machine, reachable only from here."""
    from hdss7 import quickstart

    return quickstart.up(options)


@command("lab", "purge")
def down(options: Options) -> int:
    """Stop the lab; its disks stay, unless --purge."""
    from lab import commands

    commands.down(options.lab_name, purge=options.purge)
    return 0


@command("lab")
def status(options: Options) -> int:
    """Show the lab's hosts, and whether they run."""
    from lab import commands

    commands.status(options.lab_name)
    return 0


@command("host", "lab", words=True)
def exec_(options: Options) -> int:
    """Run a command on a lab host without SSH: lab.exec hdss7-21 -- kubectl get nodes."""
    from lab import commands

    return commands.execute(options.lab_name, options.host or "", options.words)


@command("host", "lab")
def ssh(options: Options) -> int:
    """Log in to a lab host with this machine's ssh."""
    from lab import commands

    return commands.ssh(options.lab_name, options.host or "")


@command("host", "lab", "hard")
def reboot(options: Options) -> int:
    """Reboot a lab host, and return when it answers again."""
    from lab import commands

    commands.reboot(options.lab_name, options.host or "", hard=options.hard)
    return 0


@command("lab", "port", "proxy_port", "site_name")
def open_(options: Options) -> int:
    """Serve the lab's site on 127.0.0.1, for a browser on this machine, until Ctrl-C."""
    from lab.port_forward import open_site

    open_site(options.lab_name, options.port, options.proxy_port, options.site_name or "")
    return 0


@command("directory")
def init(options: Options) -> int:
    """Make a project folder of your own, with the course's site: init DIR."""
    from hdss7 import init

    return init.init(options)


def collection() -> Collection:
    """The commands, as Invoke takes them."""
    certs = Collection("certs", renew)
    certs.add_task(list_, name="list", default=True)
    etcd = Collection("etcd", backup, restore)
    hosts = Collection("hosts", show, trust, disconnect)
    ingress = Collection("ingress", check, migrate)
    proxy = Collection("proxy", rules, clean)
    lab = Collection("lab", up, down, status, ssh, reboot)
    lab.add_task(exec_, name="exec")
    lab.add_task(open_, name="open")
    return Collection(
        deploy,
        plan,
        history,
        blame,
        why,
        rollback,
        verify,
        trace,
        watch,
        ping,
        run,
        lint,
        init,
        certs,
        etcd,
        hosts,
        ingress,
        proxy,
        lab,
    )
