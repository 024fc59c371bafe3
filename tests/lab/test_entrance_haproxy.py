"""The rows of test_passing.py and test_entrance.py once more, with HAProxy as the edge's program."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.lab import test_entrance as rows
from tests.lab import test_passing as passing
from tests.lab.clients import clients, unharmed
from tests.lab.entrance import WELL, Entrance
from tests.lab.repeated import again

test_an_ill_site_harms_no_other = again(rows.test_an_ill_site_harms_no_other)
test_long_headers_pass_and_longer_ones_are_refused = again(rows.test_long_headers_pass_and_longer_ones_are_refused)
test_headers_beyond_their_limit_harm_nobody = again(rows.test_headers_beyond_their_limit_harm_nobody)
test_more_websockets_than_systemd_allows_files = again(rows.test_more_websockets_than_systemd_allows_files)
test_a_traefik_that_hangs_is_left_within_seconds = again(rows.test_a_traefik_that_hangs_is_left_within_seconds)
test_a_node_that_is_silent_is_left_within_seconds = again(rows.test_a_node_that_is_silent_is_left_within_seconds)
test_plan_and_verify_count_old_workers = again(rows.test_plan_and_verify_count_the_workers_that_sockets_keep)
test_a_trusted_sender_says_who_asks_and_how = again(passing.test_a_trusted_sender_says_who_asks_and_how)
test_a_client_cannot_speak_through_a_trusted_sender = again(passing.test_a_client_cannot_speak_through_a_trusted_sender)
test_nobody_else_is_believed = again(passing.test_nobody_else_is_believed)
test_events_arrive_one_by_one = again(passing.test_events_arrive_one_by_one)
test_an_upload_passes = again(passing.test_an_upload_passes)
test_grpc_reaches_a_pod_and_its_trailers_come_back = again(passing.test_grpc_reaches_a_pod_and_its_trailers_come_back)


@pytest.fixture(scope="module")
def entrance(entrance: Entrance) -> Iterator[Entrance]:
    """The site of the other modules, switched for this one."""
    with entrance.switched("haproxy") as switched:
        yield switched


def test_every_check_holds_with_haproxy(entrance: Entrance) -> None:
    verified = entrance.typed("verify")
    assert verified.code == 0, str(verified)


@pytest.mark.parametrize(("host", "port"), [(":8080", "8080"), ("", "80")])
def test_the_port_that_was_asked_for_is_kept_by_haproxy(entrance: Entrance, host: str, port: str) -> None:
    seen = entrance.seen({"Host": f"{WELL[0]}.od.com{host}"})
    assert (seen["Host"], seen["X-Forwarded-Port"]) == (f"{WELL[0]}.od.com{host}", port)


def test_a_grpc_error_is_told_before_the_stream_is_reset(entrance: Entrance) -> None:
    unknown = passing.called("None", "|| [ $? -eq 92 ]")  # docs/edge.md: an answer before the call has ended
    assert re.search(r"^grpc-status: 12", unknown, re.M), unknown


def test_more_clients_than_files_are_refused_by_haproxy(entrance: Entrance) -> None:
    planned = entrance.typed("plan", "edge.connections=10000")
    assert planned.code == 4, str(planned)
    assert "edge.connections needs 22304 open files" in planned.errors


def test_a_roll_behind_haproxy_costs_no_request(entrance: Entrance) -> None:
    with clients(entrance.name) as prober:
        rolled = entrance.typed("deploy", "traefik.log_level=WARN")
        receipt = prober.receipt()
    print(f"a roll behind HAProxy: {receipt}")
    assert rolled.code == 0, str(rolled)
    assert unharmed(receipt), receipt
