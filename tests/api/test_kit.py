"""The parts that every feature stands on: tokens, cursors, entity tags, rates."""

import base64
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.kit.addresses import network_of
from services.api.kit.cursors import BadCursor, Cursors, Value
from services.api.kit.etags import etag, matches
from services.api.kit.rates import RateLimited, Rates
from services.api.kit.tokens import digest, is_well_formed, new_token

values = st.lists(
    st.one_of(st.text(max_size=40), st.integers(-(2**63), 2**63), st.floats(allow_nan=False, allow_infinity=False)),
    max_size=5,
)
CURSORS = Cursors(b"key")


@given(given_values=values, listing=st.text(max_size=30))
def test_cursors_come_back_as_they_were(given_values: list[Value], listing: str) -> None:
    assert CURSORS.decode(listing, CURSORS.encode(listing, given_values)) == given_values


@given(text=st.text(max_size=300))
def test_made_up_cursors_are_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        CURSORS.decode("listing", text)


@given(given_values=values, position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_altered_cursors_are_refused(given_values: list[Value], position: int, bit: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(CURSORS.encode("listing", given_values) + "=="))
    raw[position % len(raw)] ^= 1 << bit

    with pytest.raises(BadCursor):
        CURSORS.decode("listing", base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("="))


@given(given_values=values)
def test_cursors_of_another_listing_or_key_are_refused(given_values: list[Value]) -> None:
    cursor = CURSORS.encode("mine", given_values)

    for cursors, listing in ((CURSORS, "yours"), (Cursors(b"other"), "mine")):
        with pytest.raises(BadCursor):
            cursors.decode(listing, cursor)


def test_new_tokens_are_well_formed_and_differ() -> None:
    tokens = {new_token() for _ in range(100)}

    assert len(tokens) == 100
    assert all(is_well_formed(token) for token in tokens)


@given(position=st.integers(0, 51), character=st.characters())
def test_mistyped_tokens_are_not_well_formed(position: int, character: str) -> None:
    token = new_token()
    mistyped = token[:position] + character + token[position + 1 :]

    assert is_well_formed(mistyped) is (mistyped == token)


@given(text=st.text(max_size=60))
def test_made_up_tokens_are_not_well_formed(text: str) -> None:
    assert not is_well_formed(text)


def test_digests_depend_on_the_key() -> None:
    assert digest(b"one", "lethe_x") != digest(b"two", "lethe_x")


@pytest.mark.parametrize("header", ["{0}", "W/{0}", '"other", {0}', '"a",W/{0} , "b"', "*"])
def test_tags_match_in_every_form_of_the_header(header: str) -> None:
    assert matches(etag("x", 1), header.format(etag("x", 1)))


@pytest.mark.parametrize("header", [None, "", '"other"', "W/"])
def test_other_tags_do_not_match(header: str | None) -> None:
    assert not matches(etag("x", 1), header)


def wrong_logins(rates: list[Rates], address: str, username: str) -> int:
    """Try until a limit refuses; return how many were allowed."""
    for number in range(1000):
        try:
            rates[number % len(rates)].login(address, username)
        except RateLimited as refused:
            assert 0 < int(str(refused.details["retry_after_s"])) <= 3600
            return number
    raise AssertionError("no limit")


def test_rates_are_shared_between_processes_through_redis(fresh_redis_url: str) -> None:
    assert wrong_logins([Rates(fresh_redis_url), Rates(fresh_redis_url)], "192.0.2.1", "shared-name") == 10


def test_rates_are_kept_in_the_process_when_redis_does_not_answer() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        rates = Rates(f"redis://127.0.0.1:{unused.getsockname()[1]}/0")
        assert wrong_logins([rates], "192.0.2.1", "name") == 10


def test_guessing_at_one_address_locks_nobody_out_at_another() -> None:
    """However long a rival tries, because refused attempts use up nothing of what the addresses share."""
    rates = Rates("")
    assert sum(wrong_logins([rates], "192.0.2.1", "ada") for _ in range(50)) == 10

    rates.login("192.0.2.2", "ada")


def test_a_guesser_with_many_addresses_is_slowed() -> None:
    rates = Rates("")

    assert sum(wrong_logins([rates], f"192.0.2.{number}", "ada") for number in range(100)) == 300


def test_one_client_has_all_addresses_of_its_ipv6_network() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("testclient") == "testclient"
