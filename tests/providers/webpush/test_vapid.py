"""Who we are: a token that a push service believes, and that is not signed anew for every message."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from notifications.providers.webpush import vapid
from tests.providers.examples import AT, pem

KEY = ec.generate_private_key(ec.SECP256R1())
ORIGIN = "https://push.example.net"
SUBJECT = "mailto:push@example.com"


def raw(key: ec.EllipticCurvePrivateKey) -> str:
    """As `web-push generate-vapid-keys` writes it."""
    return urlsafe_b64encode(key.private_numbers().private_value.to_bytes(32, "big")).rstrip(b"=").decode()


def parts(header: str) -> tuple[str, bytes]:
    """The token and the public key."""
    found = re.fullmatch(r"vapid t=([\w.-]+), k=([\w-]{87})", header)
    assert found, header
    return found[1], urlsafe_b64decode(found[2] + "=")


def claims(header: str, at: datetime = AT) -> dict[str, object]:
    """What the token says to a push service of this origin, which knows the subscription's key."""
    token, point = parts(header)
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    assert jwt.get_unverified_header(token)["alg"] == "ES256"
    options = {"require": ["aud", "exp", "sub"], "verify_exp": False}
    found: dict[str, object] = jwt.decode(token, public, algorithms=["ES256"], audience=ORIGIN, options=options)  # type: ignore[arg-type]
    return found


def test_a_token_says_to_whom_until_when_and_whom_to_ask() -> None:
    header = vapid.authorization(pem(KEY), ORIGIN, SUBJECT, AT)
    assert claims(header) == {"aud": ORIGIN, "sub": SUBJECT, "exp": int((AT + timedelta(hours=12)).timestamp())}
    assert parts(header)[1] == KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@pytest.mark.parametrize("minutes", [*range(0, 24 * 60, 53)])
def test_at_any_moment_a_token_is_good_for_hours_and_never_for_more_than_a_day(minutes: int) -> None:
    at = AT + timedelta(minutes=minutes)
    expires = claims(vapid.authorization(pem(KEY), ORIGIN, SUBJECT, at))["exp"]
    assert isinstance(expires, int)
    left = datetime.fromtimestamp(expires, tz=UTC) - at
    assert timedelta(hours=6) <= left <= timedelta(hours=24)


def test_for_hours_the_same_origin_gets_the_same_token() -> None:
    tokens = {vapid.authorization(pem(KEY), ORIGIN, SUBJECT, AT + timedelta(minutes=n)) for n in range(0, 360, 7)}
    assert len(tokens) == 1
    assert vapid.authorization(pem(KEY), ORIGIN, SUBJECT, AT + timedelta(hours=6)) not in tokens


@pytest.mark.parametrize(
    "other",
    [
        (pem(ec.generate_private_key(ec.SECP256R1())), ORIGIN, SUBJECT),
        (pem(KEY), "https://push.example.org", SUBJECT),
        (pem(KEY), ORIGIN, "mailto:else@example.com"),
    ],
    ids=["key", "origin", "contact"],
)
def test_another_key_origin_or_contact_has_a_token_of_its_own(other: tuple[str, str, str]) -> None:
    assert vapid.authorization(*other, AT) != vapid.authorization(pem(KEY), ORIGIN, SUBJECT, AT)


@pytest.mark.parametrize("written", [pem(KEY), f"\n{pem(KEY)}\n", raw(KEY), f" {raw(KEY)}= "], ids=range(4))
def test_a_key_is_read_as_tools_write_it(written: str) -> None:
    assert vapid.private_key(written).private_numbers() == KEY.private_numbers()


@pytest.mark.parametrize(
    "written",
    [
        "", "nonsense", "§" * 43, raw(KEY)[:-2], raw(KEY) + "AA", "A" * 43,  # 0 is no private key
        "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----",
        pem(ec.generate_private_key(ec.SECP384R1())), pem(rsa.generate_private_key(65537, 2048)),
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_key_of_p256_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        vapid.private_key(written)
