import pytest

from notifications.providers.contract import CredentialBad, NumberSource, Refused, Throttled, Transient
from notifications.providers.jpush.numbers import JpushNumbers
from tests.providers.examples import HOSTILE_BODIES, response
from tests.providers.jpush.test_send import CID, account, compose, error

NUMBERS: NumberSource = JpushNumbers()


@pytest.mark.parametrize(("wanted", "asked"), [(1, 1), (10, 10), (1000, 1000), (5000, 1000)])
def test_cids_for_pushes_are_asked_for_as_many_as_one_call_may_give(wanted: int, asked: int) -> None:
    request = NUMBERS.ask(account(), wanted)
    assert (request.method, request.url) == ("GET", f"https://jpush.test/v3/push/cid?count={asked}&type=push")
    assert request.headers == compose().headers
    assert request.body == b""


def test_the_answer_is_a_list_of_them() -> None:
    assert NUMBERS.read(response(200, {"cidlist": [CID, f"{CID[:-1]}7"]})) == [CID, f"{CID[:-1]}7"]


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (401, error(1004), CredentialBad),
        (403, error(2003), CredentialBad),
        (429, error(2002), Throttled),
        (500, error(1000), Transient),
        (503, b"", Transient),
        (200, {"cidlist": []}, Transient),
        (200, {"cidlist": [""]}, Transient),
        (200, {"cidlist": ["x" * 101]}, Transient),
        (200, error(2002), Throttled),
    ],
)
def test_a_refusal_means_what_it_means_for_a_push(status: int, body: object, meaning: type[Refused]) -> None:
    assert type(NUMBERS.read(response(status, body))) is meaning


def test_who_asks_too_often_is_told_when_the_window_ends() -> None:
    told = {"x_rate_limit_remaining": "0", "x_rate_limit_reset": "30"}
    outcome = NUMBERS.read(response(429, error(2002), **told))
    assert isinstance(outcome, Throttled)
    assert outcome.retry_after == 30


@pytest.mark.parametrize("body", HOSTILE_BODIES)
@pytest.mark.parametrize("status", [200, 502])
def test_whatever_a_proxy_answers_is_no_cid(status: int, body: bytes) -> None:
    assert isinstance(NUMBERS.read(response(status, body)), Transient)
