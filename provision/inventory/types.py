"""The types that settings are made of: what a value may look like, and an example that an error can show.

Every text has one of these types. Most of them admit no character that means something to sh, nginx, BIND,
supervisord, systemd or YAML; LocalPath, FlagValue, Argument, Password and Text admit any printable one, say where such
a text goes, and are quoted there. None admits a line break or another control character, but OptionalPem, which is
parsed on the controller. docs/settings.md lists them all.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec


def _text(what: str, pattern: str, example: str, *, longest: int = 1000, empty: bool = False) -> msgspec.Meta:
    """A text that matches `pattern` whole, of at most `longest` characters. empty: '' is one as well."""
    whole = f"(?:{pattern})?" if empty else f"(?:{pattern})"
    what = f"{what}, or ''" if empty else what
    return msgspec.Meta(title=what, pattern=rf"\A{whole}\Z", max_length=longest, examples=[example])


_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_HOST = r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*"
_RECORD = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_IPV6 = r"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}"
_EITHER = rf"(?:{_IPV4}|{_IPV6})"
_MASK, _MASK6 = r"/(?:3[0-2]|[12]?[0-9])", r"/(?:12[0-8]|1[01][0-9]|[1-9]?[0-9])"
_WITH_MASK = rf"(?:{_IPV4}(?:{_MASK})?|{_IPV6}(?:{_MASK6})?)"
_NETWORK = rf"{_IPV4}/(?:3[0-2]|[12]?[0-9])"
_PATH = r"(?:/[A-Za-z0-9._+@,:=~-]+)+"
_URL = r"https?://(?:[A-Za-z0-9._~:/?#@!&()*+,;=\[\]-]|%[0-9A-Fa-f]{2})+"
_WORD = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
_SHA256 = r"[0-9a-f]{64}"
_SUM = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # of the empty file
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_IMAGE = rf"{_WORD}(?::[0-9]{{1,5}}(?=/))?(?:/{_WORD})*(?::{_TAG})?(?:@sha256:{_SHA256})?"
_PRINTABLE = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"
_BELOW = r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*"
_PEM = r"(?:-----BEGIN [A-Z0-9 ]+-----\r?\n[A-Za-z0-9+/=\r\n]+-----END [A-Z0-9 ]+-----[\r\n]*)+"
_KERNEL = r"[A-Za-z0-9._:/|%@+,-]+"
_FLAG = r"[a-z][a-z0-9-]*"

# Numbers.
MOST = 2_147_483_647  # what a program of 32 bits takes
Natural = Annotated[int, msgspec.Meta(title="a whole number from 0 to 2147483647", ge=0, le=MOST, examples=[2])]
Positive = Annotated[int, msgspec.Meta(title="a whole number from 1 to 2147483647", ge=1, le=MOST, examples=[90])]
Bytes = Annotated[int, msgspec.Meta(title="a number of bytes", ge=1, le=1 << 50, examples=[8_000_000_000])]
HttpStatus = Annotated[int, msgspec.Meta(title="a status of HTTP", ge=200, le=599, examples=[200])]
Port = Annotated[int, msgspec.Meta(title="a port", ge=1, le=65535, examples=[8080])]

RouterNumber = Annotated[int, msgspec.Meta(title="a number from 0 to 255", ge=0, le=255, examples=[10])]
OptionalPort = Annotated[int, msgspec.Meta(title="a port, or 0", ge=0, le=65535, examples=[8080])]

# Names and addresses.
Domain = Annotated[str, _text("a domain in lower case", _DOMAIN, "od.com", longest=200)]
OptionalDomain = Annotated[str, _text("a domain in lower case", _DOMAIN, "shop.od.com", longest=200, empty=True)]
Label = Annotated[str, _text("a name of one label in lower case", _LABEL, "shop")]
SiteName = Annotated[str, _text("a site's name, without the domain", rf"(?:\*\.)?{_DOMAIN}", "demo", longest=150)]
HostName = Annotated[str, _text("a host name", _HOST, "store.host.com", longest=253)]
RecordName = Annotated[
    str, _text("a name in a DNS zone", rf"@|\*|(?:\*\.)?{_RECORD}(?:\.{_RECORD})*", "www", longest=200)
]
Address = Annotated[str, _text("an IPv4 address", _IPV4, "10.4.7.10")]
OptionalAddress = Annotated[str, _text("an IPv4 address", _IPV4, "10.4.7.10", empty=True)]
AnyAddress = Annotated[str, _text("an IP address", _EITHER, "10.4.7.200")]
Forwarder = Annotated[
    str, _text("a name server that BIND asks", rf"{_EITHER}(?: port [0-9]{{1,5}})?", "10.4.7.254 port 5353")
]
Upstream = Annotated[
    str,
    _text(
        "a name server that CoreDNS asks",
        rf"(?:(?:dns|tls)://)?{_IPV4}(?::[0-9]{{1,5}})?|{_IPV6}|{_PATH}",
        "10.4.7.254:5353",
    ),
]
AddressMatch = Annotated[
    str,
    _text(
        "an element of a BIND address list",
        rf"!?(?:any|none|localhost|localnets|{_WITH_MASK})",
        "172.7.0.0/16",
    ),
]
Sender = Annotated[str, _text("an IP address or network", _WITH_MASK, "10.4.7.0/24")]
Network = Annotated[str, _text("a network", _NETWORK, "172.7.0.0/16")]
OptionalNetwork = Annotated[str, _text("a network", _NETWORK, "10.4.7.0/24", empty=True)]
PortRange = Annotated[str, _text("a range of ports", r"[0-9]{1,6}(?: *[-:.,/]+ *[0-9]{1,6})?", "3000-29999")]
InterfaceName = Annotated[str, _text("the name of an interface", r"[A-Za-z0-9][A-Za-z0-9_.-]*", "cni0", longest=15)]

HeaderName = Annotated[str, _text("the name of an HTTP header", r"[A-Za-z0-9][A-Za-z0-9_-]*", "X-Frame-Options")]

# Amounts, as nginx writes them.
Duration = Annotated[str, _text("a duration", r"[0-9]{1,6}|(?:[0-9]{1,6}[smhdw])+", "10s", longest=20)]
Timeout = Annotated[
    str, _text("a duration of at least 1s", r"[1-9][0-9]{0,5}|(?:[1-9][0-9]{0,5}[smhdw])+", "10s", longest=20)
]
HeaderSize = Annotated[
    str, _text("a size from 1000 bytes to 9m", r"[1-9][0-9]{3,6}|[1-9][0-9]{0,3}[kK]|[1-9][mM]", "32k")
]
Size = Annotated[str, _text("a size", r"[0-9]{1,9}[kKmMgG]?", "100m")]
Version = Annotated[str, _text("a version", r"[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}", "1.34.4")]

# What is fetched and installed.
Name = Annotated[str, _text("a program's name", r"[a-z0-9][a-z0-9_.-]*", "kube-proxy", longest=100)]
PackageName = Annotated[str, _text("the name of a Debian package", r"[a-z0-9][a-z0-9+.-]*[a-z0-9+.]", "nginx")]
AptSource = Annotated[
    str,
    _text(
        "a line for apt's sources",
        r"deb(?:-src)? (?:\[[A-Za-z0-9=,/._+: -]+\] )?[a-z+]+:[A-Za-z0-9._~:/@%+-]+(?: [A-Za-z0-9._/+-]+)+",
        "deb [trusted=yes] http://10.4.7.200/apt ./",
        empty=True,
    ),
]
OptionalMail = Annotated[
    str, _text("an address of mail", rf"[A-Za-z0-9][A-Za-z0-9._+-]*@{_DOMAIN}", "ops@example.com", empty=True)
]
Url = Annotated[str, _text("an http or https URL", _URL, "http://10.4.7.200/bin/kubelet")]
OptionalUrl = Annotated[str, _text("an http or https URL", _URL, "http://10.4.7.200/images/nginx.tar", empty=True)]
UrlPath = Annotated[str, _text("the path of a URL", r"/[A-Za-z0-9._~/@:+,=-]*", "/healthz")]
Sha256 = Annotated[str, _text("a SHA-256 sum in hexadecimal digits", _SHA256, _SUM)]
OptionalSha256 = Annotated[str, _text("a SHA-256 sum in hexadecimal digits", _SHA256, _SUM, empty=True)]
ImageReference = Annotated[str, _text("a reference to an image", _IMAGE, "registry.k8s.io/pause:3.10", longest=500)]
PluginName = Annotated[
    str, _text("the name of a containerd plugin", r"[a-z0-9][a-z0-9._-]*", "io.containerd.tracing.processor.v1.otlp")
]

# Paths. LocalPath is opened on the controller and never reaches a host.
FilePath = Annotated[str, _text("an absolute path on a host", _PATH, "/data/kubelet")]
OptionalFilePath = Annotated[str, _text("an absolute path on a host", _PATH, "/usr/local/bin/kubectl", empty=True)]
OptionalLocalPath = Annotated[str, _text("a path on the controller", f"{_PRINTABLE}+", "~/hdss7-pki", empty=True)]
InventoryPath = Annotated[str, _text("a path below the inventory's folder", _BELOW, "apps/shop.yaml")]
OptionalPem = Annotated[
    str,
    _text(
        "a path below the inventory's folder, or PEM", f"{_BELOW}|{_PEM}", "tls/od.com.pem", longest=1 << 16, empty=True
    ),
]

# Who may come in. A password is hashed on the controller, and never sent to a host as it is.
UserName = Annotated[str, _text("a user's name", r"[A-Za-z0-9][A-Za-z0-9._@-]*", "admin", longest=64)]
Password = Annotated[str, _text("a password", f"{_PRINTABLE}+", "correct horse battery staple", longest=72)]

# Kernel parameters and flags of programs.
SysctlName = Annotated[
    str, _text("the name of a kernel parameter", r"[a-z0-9_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)+", "net.core.somaxconn")
]
SysctlValue = Annotated[
    str, _text("the value of a kernel parameter", rf"{_KERNEL}(?: +{_KERNEL})*", "4096 87380 6291456")
]
FieldName = Annotated[str, _text("the name of a field of KubeletConfiguration", r"[a-z][A-Za-z0-9]*", "maxPods")]
Fields = dict[FieldName, Any]  # written as JSON, whatever is in them
FlagName = Annotated[str, _text("the name of a flag, without the dashes", _FLAG, "conntrack-min")]
# Quoted for sh in the start script (filter `quote`), and so carried as they are.
FlagValue = Annotated[str, _text("the value of a flag, without line breaks", f"{_PRINTABLE}*", "0s")]
Argument = Annotated[str, _text("a flag as programs take it", f"--{_FLAG}(?:={_PRINTABLE}*)?", "--max-requests=500")]
# For the roles of others: goes into a file's content, and is quoted there for the language of that file.
Text = Annotated[str, _text("text of one line", f"{_PRINTABLE}*", "be careful")]
