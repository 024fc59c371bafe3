"""The address that names lead to, and the configuration that the edge would start with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from urltrace.finding import Finding, proof
from urltrace.view import View

# as nginx writes it before and after it has read error_log
EMERGENCY = re.compile(
    r"^(?:nginx:|\S+ [\d:]+) \[emerg\] (?:\d+#\d+: )?(?P<what>.*?)(?: in (?P<place>/\S+:\d+))?$", re.MULTILINE
)


def shared_address(view: View) -> Iterator[Finding]:
    """The address that moves between the edges is on none of them, or on several."""
    vip, holders = view.site.vip, view.holders
    if holders is None:
        return
    answers = [answer for edge in view.site.edges if (answer := view.evidence.answer("addresses", edge.name))]
    if len(holders) != 1:
        words = f"is on {' and '.join(holders)} at once" if holders else "is on no edge"
        yield Finding(
            hop="edge",
            cause="address-twice" if holders else "address-nowhere",
            where=f"the address {vip}",
            sentence=f"{vip}, where names lead to, {words}",
            do="On the edges: systemctl status keepalived, and journalctl -u keepalived"
            + ("; look whether they hear each other (VRRP, protocol 112)" if holders else ""),
            proof=tuple(line for answer in answers for line in proof(answer, _line(answer.output, vip))),
            latent=view.whole is not None and view.whole.ok,
        )


def broken_configuration(view: View) -> Iterator[Finding]:
    """The files on the disk are no configuration: nginx runs on until it is started anew."""
    for answer in view.evidence.about("nginx -T"):
        found = EMERGENCY.search(answer.output)
        if found:
            yield Finding(
                hop="edge",
                cause="configuration-broken",
                where=found["place"] or f"nginx on {answer.location}",
                sentence=f"the configuration on {answer.location}'s disk is broken, so that nginx runs an older one: "
                f"{found['what']}{f' in {found[2]}' if found['place'] else ''}",
                do=f"Correct it, then nginx -t and nginx -s reload on {answer.location}",
                proof=proof(answer, found[0]),
                latent=view.whole is not None and view.whole.ok,
            )


def _line(text: str, part: str) -> str:
    return next((line.strip() for line in text.splitlines() if part in line), "it is not here")


RULES = (shared_address, broken_configuration)
