"""Questions that curl can't ask, in Perl: it is on every Debian and Ubuntu (perl-base is essential there)."""

from __future__ import annotations

import shlex

# Prints the status (0 is fine, 3 says that the name does not exist, 5 that the server refuses) and the addresses.
_NAME = r"""
use IO::Socket::INET; use Socket;
my ($server, $name, $protocol) = @ARGV;
$SIG{ALRM} = sub { die "no answer from $server:53 $protocol within 3 s\n" }; alarm 3;
my $s = IO::Socket::INET->new(PeerAddr => $server, PeerPort => 53, Proto => $protocol)
  or die "$server:53 $protocol: $!\n";
my $q = pack("n6", 7, 0x100, 1, 0, 0, 0) . join("", map { pack("C/a*", $_) } split /\./, $name) . pack("x n2", 1, 1);
my $r = "";
if ($protocol eq "tcp") {
  print $s pack("n/a*", $q); $s->flush; read($s, my $l, 2) == 2 or die "closed\n"; read($s, $r, unpack("n", $l));
} else { send($s, $q, 0); defined recv($s, $r, 4096, 0) or die "$server:53 $protocol: $!\n"; }
my ($id, $flags, $qd, $an) = unpack("n4", $r);
my $at = length $q; my @found = ($flags & 15);
for (1 .. $an) {
  while (my $l = ord substr($r, $at, 1)) { if ($l >= 192) { $at++; last } $at += $l + 1 } $at++;
  my ($type, $class, $ttl, $length) = unpack("n n N n", substr($r, $at, 10));
  push @found, inet_ntoa(substr($r, $at + 10, 4)) if $type == 1; $at += 10 + $length;
}
print "@found\n";
"""

# Opens a WebSocket, sends a text, prints the first line of the handshake's answer and the text that came back.
_SOCKET = r"""
use IO::Socket::INET; use IPC::Open2;
my ($address, $port, $host, $text) = @ARGV;
$SIG{ALRM} = sub { die "no answer from $host at $address:$port within 4 s\n" }; alarm 4;
my ($s, $w);
if ($port == 443) {
  open2($s, $w, "openssl", "s_client", "-quiet", "-connect", "$address:$port", "-servername", $host);
} else {
  $w = $s = IO::Socket::INET->new(PeerAddr => $address, PeerPort => $port, Proto => "tcp")
    or die "$address:$port: $!\n";
}
print $w join("\r\n", "GET / HTTP/1.1", "Host: $host", "Upgrade: websocket", "Connection: Upgrade",
  "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dmVyaWZ5IHZlcmlmeSB2ZQ==", "", ""); $w->flush;
my $line = <$s>; $line =~ s/\s+$//; print "$line\n"; exit 1 unless $line =~ / 101 /;
while (<$s>) { last if /^\r?\n$/ }
my $mask = "abcd"; my $i = 0; my $masked = join "", map { $_ ^ substr($mask, $i++ % 4, 1) } split //, $text;
print $w pack("C2 a4", 0x81, 0x80 | length $text, $mask) . $masked; $w->flush;
read($s, my $head, 2) == 2 or die "closed\n"; my ($kind, $length) = unpack("C2", $head);
read($s, my $back, $length & 127); print "$back\n";
"""


def lookup(server: str, name: str, protocol: str = "udp") -> str:
    """The command that asks a name server for a name's addresses."""
    return f"perl -e {shlex.quote(_NAME)} {shlex.quote(server)} {shlex.quote(name)} {protocol}"


def websocket(address: str, host: str, text: str, *, tls: bool = False) -> str:
    """The command that sends `text` (125 bytes at most) over a WebSocket to `host` at an address; prints the echo."""
    return f"perl -e {shlex.quote(_SOCKET)} {address} {443 if tls else 80} {shlex.quote(host)} {shlex.quote(text)}"
