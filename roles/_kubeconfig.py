"""How whoever talks to the API logs in to it: by a certificate of the site's authority."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from provision.resources import Content, Pending, Template
from roles._certificates import named, store
from roles._cluster import api_url

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings


def kubeconfig(host: Host, site: SiteSettings, user: str, server: str = "") -> Content:
    """A kubeconfig (the course's names inside), for `File(secret=True, mode="0600")`.

    user: the certificate it logs in with, by its name in roles/_certificates.py ('kube-proxy-client', 'admin').
    server: '' means the entrance. Pending until a deploy has made the certificates.
    """
    keys = store(host.inventory, site)
    authority = keys.authority("ca")
    certificate, key = keys.pair(named(host.inventory, site, user))
    for content in (authority, certificate, key):
        if isinstance(content, Pending):
            return content
    assert isinstance(authority, bytes)
    assert isinstance(certificate, bytes)
    assert isinstance(key, bytes)
    return Template(
        "_kubeconfig/kubeconfig.j2",
        server=server or api_url(host, site),
        user=user,
        authority=base64.b64encode(authority).decode(),
        certificate=base64.b64encode(certificate).decode(),
        key=base64.b64encode(key).decode(),
    )
