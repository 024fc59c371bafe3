"""One order of one certificate at an ACME server: asked once, never repeated. The protocol is the `acme` library's."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import requests
from acme import challenges, client, crypto_util, errors, messages
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from josepy.jwa import ES256
from josepy.jwk import JWKEC

from roles._acme import Wanted, proof
from roles._x509 import private_pem

SECONDS = 120.0  # an order takes a few: the server asks for each proof several times
NONCES = 5  # that are brought for one request
ANSWER = 30  # seconds that the server may take for one answer


class Records(Protocol):
    """Where proofs are put."""

    def put(self, proofs: Mapping[str, Sequence[str]]) -> AbstractContextManager[None]:
        """TXT records, name -> texts, that are there until it ends."""
        ...


class UnprovableError(Exception):
    """The server offers no challenge by DNS for a name."""


class Network(client.ClientNetwork):
    """Remembers when a server that refuses wants to be asked again, and brings nonces until one is taken."""

    retry_after = ""

    def post(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Sends a request. A server may refuse any nonce, and the request is sent with a new one (RFC 8555, 6.5): the
        library does that once, which is too few for one in twenty (Pebble) or for a server of several machines."""
        for _ in range(NONCES - 1):
            try:
                return self._post_once(*args, **kwargs)
            except messages.Error as error:
                if error.code != "badNonce":
                    raise
        return self._post_once(*args, **kwargs)

    def _send_request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        response = super()._send_request(method, url, *args, **kwargs)
        self.retry_after = "" if response.ok else response.headers.get("Retry-After", "")
        return response


@dataclass(frozen=True)
class Server:
    """An ACME server, with the account by which it is asked."""

    network: Network
    wanted: Wanted

    def order(self, records: Records) -> bytes:
        """A new key and the chain of its certificate, PEM. Raises what the library does, and UnprovableError."""
        asked = client.ClientV2(client.ClientV2.get_directory(self.wanted.directory, self.network), self.network)
        self._enter(asked)
        key = private_pem(ec.generate_private_key(ec.SECP256R1()))
        order = asked.new_order(crypto_util.make_csr(key, list(self.wanted.names)))
        open_ = [each for each in order.authorizations if each.body.status != messages.STATUS_VALID]
        chosen = [(each.body.identifier.value, _by_dns(each)) for each in open_]
        proofs: dict[str, list[str]] = {}
        for name, challenge in chosen:
            proofs.setdefault(proof(name, self.wanted.domain), []).append(challenge.validation(self.network.key))
        with records.put(proofs):
            for _, challenge in chosen:
                asked.answer_challenge(challenge, challenge.response(self.network.key))
            done = asked.poll_and_finalize(order, datetime.now() + timedelta(seconds=SECONDS))
        return key + str(done.fullchain_pem).encode()

    def _enter(self, asked: client.ClientV2) -> None:
        """The account of the key: made, or the one that there is."""
        registration = messages.NewRegistration.from_data(
            email=self.wanted.contact or None, terms_of_service_agreed=True
        )
        try:
            asked.new_account(registration)
        except errors.ConflictError as known:
            self.network.account = messages.RegistrationResource(uri=known.location, body=messages.Registration())


@contextlib.contextmanager
def server(wanted: Wanted, account: bytes, authority: bytes) -> Iterator[Server]:
    """account: its key, PEM. authority: the CAs of the server's own address, PEM; b'' for those of the system."""
    key = serialization.load_pem_private_key(account, None)
    with tempfile.NamedTemporaryFile(suffix=".pem") as trusted:
        trusted.write(authority)
        trusted.flush()
        network = Network(
            JWKEC(key=key), alg=ES256, user_agent="hdss7", timeout=ANSWER,
            verify_ssl=trusted.name if authority else True,  # type: ignore[arg-type]  # requests takes a path too
        )  # fmt: skip
        yield Server(network, wanted)


def _by_dns(authorization: messages.AuthorizationResource) -> messages.ChallengeBody:
    for each in authorization.body.challenges:
        if isinstance(each.chall, challenges.DNS01):
            return each
    raise UnprovableError(authorization.body.identifier.value)
