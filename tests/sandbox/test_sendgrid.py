"""The sandbox refuses what SendGrid refuses, with SendGrid's errors."""

import time
from typing import Any
from uuid import uuid4

import pytest

from tests.sandbox.contracts import Contract
from tests.sandbox.world import Running


def test_a_good_mail_is_accepted_with_an_id_and_an_empty_body(sandbox: Running) -> None:
    said = sandbox.send(sandbox.sendgrid(sandbox.mail()))
    assert (said.status, said.body, said.http_version) == (202, b"", "2")
    assert said.headers["x-message-id"]


def test_each_personalization_is_a_delivery_of_its_own(sandbox: Running) -> None:
    deliveries = [str(uuid4()) for _ in range(3)]
    sandbox.send(sandbox.sendgrid(sandbox.mail(*deliveries)))
    assert [sandbox.row(delivery)["accepted"] for delivery in deliveries] == [1, 1, 1]


PERSON = {"to": [{"email": "kim@people.example"}]}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"personalizations": []}, "personalizations"),
        ({"personalizations": [{}]}, "personalizations.0.to"),
        ({"personalizations": [PERSON, {"to": [], "x": 1}]}, "personalizations.1.to"),
        ({"personalizations": [PERSON, {**PERSON, "custom": {}}]}, "personalizations.1"),
        ({"personalizations": [{"to": [{"email": "nobody"}]}]}, "personalizations.0.to.0.email"),
        ({"personalizations": [{"to": [{"email": "a@b.example"}, {"email": "A@b.example"}]}]}, "personalizations.0"),
        ({"personalizations": [{**PERSON, "headers": {"Subject": "x"}}]}, "personalizations.0.headers"),
        ({"personalizations": [{**PERSON, "custom_args": {"x": "y" * 10_001}}]}, "personalizations.0.custom_args"),
        ({"subject": None}, "subject"),
        ({"subject": ""}, "subject"),
        ({"content": []}, "content"),
        ({"content": [{"type": "text/html", "value": "a"}, {"type": "text/plain", "value": "b"}]}, "content"),
        ({"categories": ["c"] * 11}, "categories"),
        ({"send_at": int(time.time()) + 80 * 3600}, "send_at"),
        ({"tracking_settings": {"open_tracking": {"enabled": True}}}, "tracking_settings.open_tracking"),
        ({"colour": "red"}, "(root)"),
        ({"from": {"email": "nobody"}}, "from.email"),
        ({"from": {}}, "from.email"),
    ],
)
def test_a_bad_field_is_named(
    sandbox: Running, sendgrid_contract: Contract, changes: dict[str, Any], field: str
) -> None:
    mail = {name: value for name, value in (sandbox.mail() | changes).items() if value is not None}
    said = sandbox.send(sandbox.sendgrid(mail))
    assert (said.status, said.json()["errors"][0]["field"]) == (400, field)
    sendgrid_contract.check(said.json(), "ErrorResponse")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 10_000, b"[]"])
def test_what_is_no_mail_is_refused(sandbox: Running, body: bytes) -> None:
    assert sandbox.send(sandbox.sendgrid(body)).status == 400


def test_only_a_verified_sender_may_send(sandbox: Running) -> None:
    said = sandbox.send(sandbox.sendgrid(sandbox.mail() | {"from": {"email": "me@elsewhere.example"}}))
    assert (said.status, said.json()["errors"][0]["field"]) == (403, "from")


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"authorization": None}, 401), ({"authorization": "Bearer SG.x"}, 401), ({"content_type": "text/plain"}, 415)],
)
def test_headers_are_checked(sandbox: Running, headers: dict[str, str | None], status: int) -> None:
    assert sandbox.send(sandbox.sendgrid(sandbox.mail()).with_headers(**headers)).status == status


def test_sandbox_mode_is_answered_and_not_recorded(sandbox: Running) -> None:
    delivery_id = str(uuid4())
    mail = sandbox.mail(delivery_id, mail_settings={"sandbox_mode": {"enable": True}})
    assert sandbox.send(sandbox.sendgrid(mail)).status == 200
    assert sandbox.admin("GET", f"record/{delivery_id}").status == 404
