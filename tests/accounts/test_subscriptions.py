"""A browser's subscription is a push token: one form for each, and none that leads into a private network."""

import json
import random
from base64 import urlsafe_b64encode
from string import ascii_letters
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import Device
from accounts.recipients import Invalid
from accounts.subscriptions import normal_subscription
from tests.builders import caller, fields_named, person, subscription

PATH = "/v1/recipients/jimin/devices"
#: Those of RFC 8291, appendix A.
P256DH = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
ENDPOINT = "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV"


def text(endpoint: Any = ENDPOINT, *, p256dh: Any = P256DH, auth: Any = AUTH, **more: Any) -> str:
    return json.dumps({"endpoint": endpoint, "keys": {"p256dh": p256dh, "auth": auth}, **more})


NORMAL = f'{{"endpoint":"{ENDPOINT}","keys":{{"p256dh":"{P256DH}","auth":"{AUTH}"}}}}'


@pytest.mark.parametrize(
    "written",
    [
        text(),
        text(expirationTime=None),
        text(expirationTime=1795447867000, something="new"),
        json.dumps(json.loads(text()), indent=4),
        text(ENDPOINT.replace("https://push.example.net/", "HTTPS://Push.Example.NET:443/")),
        text(p256dh=f"{P256DH}=", auth=f"{AUTH}=="),
        text(p256dh=P256DH.replace("-", "+").replace("_", "/"), auth=AUTH.replace("_", "/")),
    ],
    ids=[
        "as it is",
        "as browsers write it",
        "more fields",
        "with spaces",
        "host in capitals",
        "padded",
        "plain base64",
    ],
)
def test_the_same_subscription_is_the_same_text(written: str) -> None:
    assert normal_subscription(written) == NORMAL
    assert normal_subscription(normal_subscription(written)) == NORMAL


def test_an_endpoint_keeps_its_port_path_and_question() -> None:
    endpoint = "https://push.example.net:8443/Send/A%2Bb~c;d=e:f?token=QmFzZTY0%3d&x=y"
    assert json.loads(normal_subscription(text(endpoint)))["endpoint"] == endpoint


OFF_CURVE = urlsafe_b64encode(b"\x04" + b"\x01" * 64).decode()
COMPRESSED = urlsafe_b64encode(b"\x02" + b"\x01" * 32).decode()
BAD = [
    ("no JSON", "push", "Not a push subscription"),
    ("a list", "[]", "Not a push subscription"),
    ("nothing in it", "{}", "endpoint"),
    ("nested a thousand deep", "[" * 2000, "Not a push subscription"),
    ("no keys", json.dumps({"endpoint": ENDPOINT}), "keys"),
    ("a key that is null", text(p256dh=None), "p256dh"),
    ("a public key that is cut", text(p256dh=P256DH[:-4]), "keys.p256dh has 62 bytes where 65 are right"),
    ("a compressed point", text(p256dh=COMPRESSED), "keys.p256dh has 33 bytes where 65 are right"),
    ("a point that is not on the curve", text(p256dh=OFF_CURVE), "not a point of the curve P-256"),
    ("a public key that is no base64", text(p256dh="§" + P256DH[1:]), "keys.p256dh is not base64url"),
    ("a secret that is too long", text(auth=AUTH + "AAAA"), "keys.auth has 19 bytes where 16 are right"),
    ("an empty secret", text(auth=""), "keys.auth has 0 bytes where 16 are right"),
    ("an endpoint without TLS", text("http://push.example.net/a"), "https://"),
    ("another scheme", text("file:///etc/passwd"), "https://"),
    ("a user name", text("https://me@push.example.net/a"), "without user name"),
    ("a password", text("https://me:secret@push.example.net/a"), "without user name"),
    ("a fragment", text("https://push.example.net/a#b"), "fragment"),
    ("no path", text("https://push.example.net"), "with a path"),
    ("no host", text("https:///a"), "https://"),
    ("a space", text("https://push.example.net/a b"), "plain"),
    ("a line break", text("https://push.example.net/a\r\nx-evil: yes"), "plain"),
    ("a backslash, which some take for a slash", text("https://push.example.net\\@127.0.0.1/a"), "plain"),
    ("a name in Korean", text("https://봉수.kr/a"), "plain"),
    ("a path that goes up", text("https://push.example.net/a/../b"), "plain"),
    ("a path that goes up, hidden", text("https://push.example.net/a/.%2E/b"), "plain"),
    ("a port that is none", text("https://push.example.net:70000/a"), "port"),
    ("an endpoint that is too long", text("https://push.example.net/" + "a" * 2048), "2048 characters"),
    ("this very machine", text("https://localhost/a"), "leads nowhere on the internet: localhost"),
    ("loopback", text("https://127.0.0.1/a"), "leads nowhere on the internet"),
    ("loopback as one number", text("https://2130706433/a"), "leads nowhere on the internet"),
    ("a private address", text("https://192.168.0.10:8443/a"), "leads nowhere on the internet"),
    ("the metadata of a cloud", text("https://169.254.169.254/latest/meta-data/"), "leads nowhere on the internet"),
    ("IPv6 loopback", text("https://[::1]/a"), "leads nowhere on the internet"),
    ("loopback wrapped in IPv6", text("https://[::ffff:127.0.0.1]/a"), "leads nowhere on the internet"),
    ("a name of a network's own", text("https://vault.internal/a"), "leads nowhere on the internet"),
]


@pytest.mark.parametrize(("written", "says"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_what_cannot_be_used_is_refused_with_what_is_wrong(written: str, says: str) -> None:
    with pytest.raises(Invalid, match=r".") as refused:
        normal_subscription(written)
    assert refused.value.field == "token"
    assert says in str(refused.value)


def test_a_host_that_is_named_may_be_private_and_no_other() -> None:
    assert "localhost:8443" in normal_subscription(text("https://localhost:8443/a"), private_hosts={"localhost"})
    with pytest.raises(Invalid):
        normal_subscription(text("https://127.0.0.1:8443/a"), private_hosts={"localhost"})


@pytest.mark.django_db
@pytest.mark.parametrize("platform", ["web", "desktop"])
def test_a_browser_registers_its_subscription_once(platform: str) -> None:
    person()
    api = caller()

    answers = [api.post(PATH, {"platform": platform, "token": written}) for written in (text(), NORMAL)]

    assert [answer.status_code for answer in answers] == [201, 200]
    assert (answers[0].json()["service"], answers[0].json()["platform"]) == ("webpush", platform)
    assert Device.objects.get().token == NORMAL


@pytest.mark.django_db
def test_a_refusal_names_the_field_and_what_would_be_right() -> None:
    person()

    answer = caller().post(PATH, {"platform": "web", "token": text("https://10.0.0.1/a")})

    assert (answer.status_code, fields_named(answer)) == (422, {"token"})
    assert "10.0.0.1 is not a public IPv4 address" in answer.json()["errors"][0]["message"]
    assert not Device.objects.exists()


@pytest.mark.django_db
def test_the_setting_lets_a_sandbox_be_named(settings: Settings) -> None:
    settings.WIRE_PRIVATE_HOSTS = frozenset({"localhost"})
    person()

    assert caller().post(PATH, {"platform": "web", "token": text("https://localhost:1/a")}).status_code == 201


@pytest.mark.django_db
def test_the_longest_subscription_fits_into_the_index() -> None:
    person()
    # random, as endpoints are: PostgreSQL could press "aaa…" into any index
    longest = subscription("https://push.example.net/" + "".join(random.Random(7).choices(ascii_letters, k=2023)))

    assert caller().post(PATH, {"platform": "web", "token": longest}).status_code == 201
