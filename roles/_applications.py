"""The applications of a site: what the inventory says under `apps:`, as every role that has to know them sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from provision.errors import InputError
from provision.inventory.changes import Free
from provision.inventory.settings import bind
from provision.inventory.types import HttpStatus, InventoryPath, Label, OptionalDomain, Positive, UrlPath
from roles._cluster import members

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

# What the site publishes itself. No wildcard: a name that nobody published does not exist, as in the course.
PUBLISHED = ("traefik", "nginx", "demo", "ws")
ROUTED = "gateway"  # published where Traefik serves routes of the Gateway API
OWN = frozenset((*PUBLISHED, ROUTED, "dns"))  # with the name of the name server itself


class App(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of one application, all under `apps.NAME:`."""

    manifests: Free[InventoryPath]  # its objects: a file beside the inventory, rendered by Jinja
    host: Free[OptionalDomain] = ""  # its name, with or without site.domain; '': NAME
    path: Free[UrlPath] = "/"  # what it is asked for
    expect: Free[HttpStatus] = 200  # the status that it answers with
    ready_timeout: Free[Positive] = 120  # seconds that its pods may take to be ready, and then its URL to answer


@dataclass(frozen=True)
class Application:
    """One application of a site. host: its whole name; manifests: below the inventory's folder."""

    name: str
    manifests: str
    host: str
    path: str
    expect: int
    ready_timeout: int

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://{self.host}{self.path}"


def applications(site: SiteSettings, apps: Mapping[str, App]) -> tuple[Application, ...]:
    """Every application with its whole name."""

    def whole(written: str) -> str:
        return written if "." in written else f"{written}.{site.domain}"

    return tuple(
        Application(name, app.manifests, whole(app.host or name), app.path, app.expect, app.ready_timeout)
        for name, app in apps.items()
    )


def published(host: Host, site: SiteSettings) -> tuple[Application, ...]:
    """The applications of the site, whichever host asks: as the first master has them, because it applies them.

    Raises InputError for a name that the site can't publish, and for two of one URL.
    """
    masters = members(host, "masters")
    if not masters or not masters[0].var("apps", None):
        return ()
    found = applications(site, bind(dict[Label, App], masters[0], "apps"))
    urls: dict[str, Application] = {}
    for app in found:
        _check_name(masters[0], site, app)
        other = urls.setdefault(app.url, app)
        if other is not app:
            raise InputError(
                f"two applications have the URL {app.url}",
                line=origin(masters[0], app, "host"),
                found=f"They are {other.name} and {app.name}",
                do="Give one of them another host, or another path",
            )
    return found


def origin(host: Host, app: Application, setting: str) -> str:
    """The line that sets it for an application, or the application's own where only the default does."""
    return host.origin("apps", app.name, setting) or host.origin("apps", app.name)


def label(app: Application, site: SiteSettings) -> str:
    """Its name in the site's zone."""
    return app.host.removesuffix(f".{site.domain}")


def _check_name(host: Host, site: SiteSettings, app: Application) -> None:
    if not app.host.endswith(f".{site.domain}"):
        raise InputError(
            f"the application {app.name} has a host outside the site's domain",
            line=origin(host, app, "host"),
            found=f"{app.host} is no name in {site.domain}, so neither bind nor the edge knows it",
            do=f"Write a name such as {app.name}, or {app.name}.{site.domain}",
        )
    if label(app, site) in OWN:
        raise InputError(
            f"the application {app.name} has a host that is the site's own",
            line=origin(host, app, "host"),
            found=f"{app.host} is taken: {', '.join(sorted(OWN))} are names of {site.domain} in every site",
            do=f"Set apps.{app.name}.host to another name",
        )
