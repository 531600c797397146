"""The sandbox refuses what Twilio refuses, with Twilio's codes."""

from typing import Any

import pytest

from tests.sandbox.contracts import Contract
from tests.sandbox.world import Running

MESSAGE = "api.v2010.account.message"


def test_a_good_message_is_queued_and_answered_as_the_contract_says(
    sandbox: Running, twilio_contract: Contract
) -> None:
    said = sandbox.send(sandbox.twilio())
    assert (said.status, said.http_version) == (201, "2")
    twilio_contract.check(said.json(), MESSAGE)
    assert said.json()["status"] == "queued"
    assert said.json()["sid"].startswith("SM")


def test_a_messaging_service_picks_the_sender_later(sandbox: Running, twilio_contract: Contract) -> None:
    service = sandbox.credentials["twilio"]["messaging_service_sid"]
    said = sandbox.send(sandbox.twilio(From=None, MessagingServiceSid=service))
    assert (said.status, said.json()["status"], said.json()["from"]) == (201, "accepted", None)
    twilio_contract.check(said.json(), MESSAGE)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": None}, 21604),
        ({"To": "01012345678"}, 21211),
        ({"To": "+15005550001"}, 21211),
        ({"To": "+15005550002"}, 21612),
        ({"To": "+15005550003"}, 21408),
        ({"To": "+15005550004"}, 21610),
        ({"To": "+15005550009"}, 21614),
        ({"From": None}, 21603),
        ({"From": "+821000000000"}, 21606),
        ({"From": "+15005550001"}, 21212),
        ({"From": "+15005550008"}, 21611),
        ({"From": "A name that is too long"}, 21212),
        ({"MessagingServiceSid": "MG" + "0" * 32}, 21701),
        ({"Body": None}, 21602),
        ({"Body": "가" * 1601}, 21617),
        ({"StatusCallback": "not a url"}, 21609),
        ({"StatusCallback": "http://[broken"}, 21609),
        ({"ValidityPeriod": "0"}, 20001),
        ({"ValidityPeriod": "36001"}, 20001),
        ({"Bodee": "x"}, 20001),
    ],
)
def test_a_bad_form_is_refused_with_its_code(sandbox: Running, form: dict[str, Any], code: int) -> None:
    said = sandbox.send(sandbox.twilio(**form))
    assert said.status == 400
    assert said.json() == {
        "code": code,
        "message": said.json()["message"],
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": 400,
    }


@pytest.mark.parametrize("authorization", [None, "Basic YTpi", "Basic ÿ"])
def test_only_the_account_itself_is_heard(sandbox: Running, authorization: str | None) -> None:
    said = sandbox.send(sandbox.twilio().with_headers(authorization=authorization))
    assert (said.status, said.json()["code"]) == (401, 20003)


def test_another_accounts_messages_are_not_found(sandbox: Running) -> None:
    ask = sandbox.twilio()
    said = sandbox.send(ask.but(url=ask.url.replace("/AC", "/AC0")))
    assert (said.status, said.json()["code"]) == (404, 20404)


@pytest.mark.parametrize(
    ("body", "segments"),
    [("a" * 160, 1), ("a" * 161, 2), ("€" * 80, 1), ("€" * 81, 2), ("가" * 70, 1), ("가" * 71, 2), ("🔥" * 36, 2)],
)
def test_segments_are_counted_as_the_networks_count(sandbox: Running, body: str, segments: int) -> None:
    assert sandbox.send(sandbox.twilio(Body=body)).json()["num_segments"] == str(segments)
