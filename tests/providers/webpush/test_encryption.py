"""What is encrypted here is read by implementations that are not ours, and is what the RFC itself shows."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import http_ece
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from notifications.providers.webpush.encryption import (
    BODY_LIMIT,
    PLAIN_LIMIT,
    Fresh,
    Reader,
    encrypted,
    fresh,
    padded,
)
from tests.providers.webpush.rfc8291 import AS_PRIVATE, AUTH, BODY, PLAIN, SALT, UA_PRIVATE, UA_PUBLIC


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def scalar(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decoded(text), "big"), ec.SECP256R1())


READER = Reader.of(UA_PUBLIC, AUTH)


def read_elsewhere(body: bytes, key: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """Decrypted by `http_ece`, which Mozilla's own tests use, and which shares no line with us."""
    plain: bytes = http_ece.decrypt(body, private_key=key, auth_secret=auth, version="aes128gcm")
    return plain


def test_the_example_of_the_rfc_comes_out_byte_for_byte() -> None:
    body = encrypted(PLAIN, READER, Fresh(scalar(AS_PRIVATE), decoded(SALT)))
    assert encoded(body) == BODY


def test_the_example_of_the_rfc_is_read_by_another_implementation() -> None:
    assert read_elsewhere(decoded(BODY), scalar(UA_PRIVATE), decoded(AUTH)) == PLAIN


@pytest.mark.parametrize("length", [1, 2, 127, 128, 129, 1000, PLAIN_LIMIT - 1, PLAIN_LIMIT])
def test_another_implementation_reads_whatever_is_said(length: int) -> None:
    key, auth = ec.generate_private_key(ec.SECP256R1()), b"0123456789abcdef"
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    plain = bytes(i % 256 for i in range(length))
    body = encrypted(plain, Reader.of(encoded(point), encoded(auth)), fresh(), pad_to=padded(plain))
    assert len(body) <= BODY_LIMIT
    assert read_elsewhere(body, key, auth) == plain


def test_a_text_that_ends_as_padding_does_keeps_its_end() -> None:
    body = encrypted(b"a\x02\x00\x00", READER, fresh(), pad_to=128)
    assert read_elsewhere(body, scalar(UA_PRIVATE), decoded(AUTH)) == b"a\x02\x00\x00"


def test_nobody_else_reads_it() -> None:
    body = encrypted(PLAIN, READER, fresh())
    with pytest.raises((http_ece.ECEException, InvalidTag)):
        read_elsewhere(body, ec.generate_private_key(ec.SECP256R1()), decoded(AUTH))
    with pytest.raises((http_ece.ECEException, InvalidTag)):
        read_elsewhere(body, scalar(UA_PRIVATE), b"0123456789abcdef")


def test_no_key_and_no_salt_serve_twice() -> None:
    bodies = [encrypted(PLAIN, READER, fresh()) for _ in range(50)]
    assert len({body[:16] for body in bodies}) == 50
    assert len({body[21:86] for body in bodies}) == 50


def test_texts_of_about_the_same_length_cannot_be_told_apart_by_it() -> None:
    lengths = {len(encrypted(b"x" * n, READER, fresh(), pad_to=padded(b"x" * n))) for n in range(129, 257)}
    assert len(lengths) == 1


def test_the_fullest_body_is_as_long_as_services_take() -> None:
    assert len(encrypted(b"x" * PLAIN_LIMIT, READER, fresh())) == BODY_LIMIT
    assert padded(b"x" * PLAIN_LIMIT) == padded(b"x" * (PLAIN_LIMIT - 1)) == PLAIN_LIMIT


def test_a_body_that_is_too_long_still_says_so_correctly() -> None:
    body = encrypted(b"x" * 5000, READER, fresh())
    assert read_elsewhere(body, scalar(UA_PRIVATE), decoded(AUTH)) == b"x" * 5000


@pytest.mark.parametrize("p256dh", ["", "AAAA", "§", UA_PUBLIC[:-2], encoded(b"\x04" + b"\x01" * 64)])
def test_what_is_no_key_is_no_reader(p256dh: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Reader.of(p256dh, AUTH)


def test_no_secret_is_shown() -> None:
    new = fresh()
    assert repr(new) + repr(READER) == "Fresh()Reader()"
