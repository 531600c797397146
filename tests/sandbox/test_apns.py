"""The sandbox refuses what Apple refuses, with Apple's reasons."""

import json
import time
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.sandbox.world import DEVICE, Running

FOREIGN_KEY = (
    ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
)


def test_a_good_push_is_accepted_with_an_empty_body_and_its_own_id(sandbox: Running) -> None:
    delivery_id = str(uuid4())
    said = sandbox.send(sandbox.apns(delivery_id=delivery_id))
    assert (said.status, said.body, said.http_version) == (200, b"", "2")
    assert said.headers["apns-id"] == delivery_id


def test_a_push_without_an_id_is_given_one(sandbox: Running) -> None:
    assert sandbox.send(sandbox.apns().with_headers(apns_id=None)).headers["apns-id"]


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({"authorization": None}, 403, "MissingProviderToken"),
        ({"authorization": "bearer nonsense"}, 403, "InvalidProviderToken"),
        ({"apns_topic": None}, 400, "MissingTopic"),
        ({"apns_topic": "com.somebody.else"}, 400, "TopicDisallowed"),
        ({"apns_push_type": "shout"}, 400, "InvalidPushType"),
        ({"apns_priority": "7"}, 400, "BadPriority"),
        ({"apns_push_type": "background", "apns_priority": "10"}, 400, "BadPriority"),
        ({"apns_expiration": "tomorrow"}, 400, "BadExpirationDate"),
        ({"apns_collapse_id": "c" * 65}, 400, "BadCollapseId"),
        ({"apns_id": "7"}, 400, "BadMessageId"),
    ],
)
def test_headers_are_checked(sandbox: Running, headers: dict[str, str | None], status: int, reason: str) -> None:
    said = sandbox.send(sandbox.apns().with_headers(**headers))
    assert (said.status, said.json()) == (status, {"reason": reason})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iat": int(time.time()) - 3700}, "ExpiredProviderToken"),
        ({"iat": int(time.time()) + 3600}, "InvalidProviderToken"),
        ({"iss": "ANOTHERTEAM"}, "InvalidProviderToken"),
        ({"kid": "ANOTHERKEY"}, "InvalidProviderToken"),
        ({"key": FOREIGN_KEY}, "InvalidProviderToken"),
    ],
)
def test_a_provider_token_must_be_fresh_and_of_this_team(
    sandbox: Running, changes: dict[str, str], reason: str
) -> None:
    token = sandbox.provider_token(**changes)
    said = sandbox.send(sandbox.apns().with_headers(authorization=f"bearer {token}"))
    assert (said.status, said.json()["reason"]) == (403, reason)


@pytest.mark.parametrize(
    ("payload", "status", "reason"),
    [
        (b"", 400, "PayloadEmpty"),
        (b"{", 400, "PayloadEmpty"),
        (b"[" * 2000, 400, "PayloadEmpty"),
        (b'{"aps":{"alert":"\xff"}}', 400, "PayloadEmpty"),
        ({"no": "aps"}, 400, "PayloadEmpty"),
        ({"aps": {"alert": "a" * 4096}}, 413, "PayloadTooLarge"),
    ],
)
def test_payloads_are_checked(sandbox: Running, payload: object, status: int, reason: str) -> None:
    said = sandbox.send(sandbox.apns(payload=payload))
    assert (said.status, said.json()["reason"]) == (status, reason)


def test_4096_bytes_of_payload_are_accepted(sandbox: Running) -> None:
    frame = len(json.dumps({"aps": {"alert": ""}}))
    assert sandbox.send(sandbox.apns(payload={"aps": {"alert": "a" * (4096 - frame)}})).status == 200


@pytest.mark.parametrize(
    ("device", "status", "reason"),
    [
        ("", 400, "MissingDeviceToken"),
        ("not-hexadecimal", 400, "BadDeviceToken"),
        ("ab" * 20, 400, "BadDeviceToken"),
        ("dead0400" + "ab" * 28, 400, "BadDeviceToken"),
        ("dead0404" + "ab" * 28, 400, "DeviceTokenNotForTopic"),
        ("dead0410" + "ab" * 28, 410, "Unregistered"),
        ("dead0411" + "ab" * 28, 410, "ExpiredToken"),
        ("dead0429" + "ab" * 28, 429, "TooManyRequests"),
        ("dead0500" + "ab" * 28, 500, "InternalServerError"),
        ("dead0503" + "ab" * 28, 503, "ServiceUnavailable"),
    ],
)
def test_device_tokens_are_checked(sandbox: Running, device: str, status: int, reason: str) -> None:
    said = sandbox.send(sandbox.apns(device))
    assert (said.status, said.json()["reason"]) == (status, reason)


@pytest.mark.parametrize(("start", "ago"), [("dead0410", 0), ("dead0412", 86_400)])
def test_a_dead_token_says_since_when_in_milliseconds(sandbox: Running, start: str, ago: float) -> None:
    timestamp = sandbox.send(sandbox.apns(start + "ab" * 28)).json()["timestamp"]
    assert abs(timestamp / 1000 - (time.time() - ago)) < 60


def test_only_posts_to_a_device_over_http_2_are_served(sandbox: Running) -> None:
    ask = sandbox.apns()
    assert sandbox.send(ask.but(method="PUT")).json()["reason"] == "MethodNotAllowed"
    assert sandbox.send(ask.but(url=f"{sandbox.url}/apns/2/device/{DEVICE}")).json()["reason"] == "BadPath"
    assert sandbox.send(ask.but(http2=False)).status == 505
