"""One builder for each thing that goes into an adapter; keyword arguments override."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from notifications.providers.contract import Message, Response
from notifications.vocabulary import Urgency
from templates_app.content import Text

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DELIVERY = UUID("019ab0c1-1111-7222-8333-444455556666")

#: Bodies that no provider sends, and that proxies, attackers and accidents do.
HOSTILE_BODIES = [
    b"",
    b"null",
    b"[]",
    b"0",
    b'"text"',
    b"<html>502 Bad Gateway</html>",
    b"\xff\xfe\x00",
    b'{"reason": 7, "code": "x", "error": [], "errors": {"a": 1}, "name": {}}',
    b'{"reason": "\\ud800"}',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"error": {"details": [{"errorCode": null}]}}',
]

#: Where a click led, and what a log may have of it.
LINKS = [
    ("https://shop.example/sale?to=kim@people.example#top", "https://shop.example/sale"),
    ("https://kim:secret@shop.example/sale", "https://shop.example/sale"),
    ("https://shop.example/of/kim%40people.example/cart", "https://shop.example/of/(address)/cart"),
    ("https://blog.example/@kim/trees", "https://blog.example/@kim/trees"),
    ("https://[shop/sale", ""),
    ("sale", ""),
    (None, ""),
]


def message(text: Text, address: str, **overrides: Any) -> Message:
    values: dict[str, Any] = {"delivery_id": DELIVERY, "urgency": Urgency.NORMAL, "at": AT}
    return Message(address=address, text=text, **{**values, **overrides})


def response(status: int, body: object = b"", **headers: str) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def encrypted_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")).decode()
