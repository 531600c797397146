"""Firebase Cloud Messaging, HTTP v1, with Google's token endpoint. firebase.google.com/docs/cloud-messaging."""

import re
import secrets
from typing import Any, Final
from urllib.parse import parse_qs

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sandbox.exchange import Answer, Call, Sight, Taken
from sandbox.keys import FCM_PROJECT, Keys
from sandbox.providers.fcm_message import Message, Unreadable, read

_JSON: Final = (("content-type", "application/json; charset=UTF-8"),)
_SEND: Final = re.compile(r"/v1/projects/([^/]+)/messages:send")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_:.\-]{20,4096}")
_DELIVERY: Final = "bongsu_delivery_id"
#: Bytes of notification and data together: "About FCM messages".
_LIMIT, _TOPIC_LIMIT = 4096, 2048
_SCOPES: Final = frozenset(
    f"https://www.googleapis.com/auth/{name}" for name in ("firebase.messaging", "cloud-platform")
)
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFETIME: Final = 3599
_REMEMBERED: Final = 1024

_STATUS_NAMES: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_CODE_OF_STATUS: Final = {
    400: "INVALID_ARGUMENT",
    401: "THIRD_PARTY_AUTH_ERROR",
    403: "SENDER_ID_MISMATCH",
    404: "UNREGISTERED",
    429: "QUOTA_EXCEEDED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_SENTENCES: Final = {
    "UNREGISTERED": "Requested entity was not found.",
    "SENDER_ID_MISMATCH": "SenderId mismatch",
    "INVALID_ARGUMENT": "The registration token is not a valid FCM registration token",
    "QUOTA_EXCEEDED": "Quota exceeded for quota metric 'Messages sent' and limit 'Messages sent per minute'.",
    "UNAVAILABLE": "The service is currently unavailable.",
    "INTERNAL": "Internal error encountered.",
    "THIRD_PARTY_AUTH_ERROR": "Request is missing required authentication credential for APNs or web push.",
}
#: Registration tokens that begin like this get this answer: sandbox/README.md.
_SPECIAL: Final = {
    "unregistered-": 404,
    "sender-mismatch-": 403,
    "invalid-": 400,
    "third-party-": 401,
    "quota-": 429,
    "internal-": 500,
    "unavailable-": 503,
}


class Fcm:
    """`POST /v1/projects/{id}/messages:send`, and `POST /token`, which trades an assertion for a bearer token."""

    name = "fcm"

    def __init__(self, keys: Keys, token_uris: frozenset[str]) -> None:
        self._keys = keys
        public = load_pem_private_key(keys.fcm_private.encode(), None).public_key()
        assert isinstance(public, RSAPublicKey)
        self._public = public
        # google-auth names Google's own address as the audience, whatever `token_uri` says.
        self._audiences = [*token_uris, "https://oauth2.googleapis.com/token"]
        self._valid_until: dict[str, float] = {}

    def answer(self, call: Call) -> Answer:
        """What Google would answer; the delivery is the one named in the message's data."""
        if call.path == "/token":
            return self._grant(call)
        place = _SEND.fullmatch(call.path)
        if place is None or call.method != "POST":
            return _plain_refusal(404, "The requested URL was not found on this server.")
        if not self._authenticated(call):
            return _unauthenticated()
        try:
            request = read(call.body)
        except Unreadable as error:
            return _bad_request(str(error), error.field, ())
        message = request.message
        messages = (Taken(message.data.get(_DELIVERY, ""), message.token or message.topic or message.fid),)
        if place[1] != FCM_PROJECT:
            where = f"//cloudresourcemanager.googleapis.com/projects/{place[1]}"
            sentence = (
                f"Permission 'cloudmessaging.messages.create' denied on resource '{where}' (or it may not exist)."
            )
            return _plain_refusal(403, sentence, messages)
        refusal = _bad_message(message, messages)
        if refusal:
            return refusal
        name = f"projects/{FCM_PROJECT}/messages/0:{secrets.randbits(53)}%{secrets.token_hex(8)}"
        return Answer(
            200,
            _JSON,
            msgspec.json.encode({"name": name}),
            () if request.validate_only else messages,
            ref=name,
        )

    def fault(self, status: int, reason: str, retry_after: int | None) -> Answer:
        """An error as FCM words it; `reason` is an FCM error code."""
        answer = _fcm_error(status, reason or _CODE_OF_STATUS.get(status, "INTERNAL"), ())
        if retry_after is None:
            return answer
        return msgspec.structs.replace(answer, headers=(*answer.headers, ("retry-after", str(retry_after))))

    def sight(self, body: bytes, part: int) -> Sight:
        """The notification as Android shows it: what is said for Android in particular comes first."""
        message = read(body).message
        android = message.android.notification if message.android else None
        general = message.notification
        link = message.webpush.fcm_options.link if message.webpush and message.webpush.fcm_options else ""
        return Sight(
            kind="android",
            sender="Bongsu",
            title=(android and android.title) or (general and general.title) or message.data.get("title", ""),
            body=(android and android.body) or (general and general.body) or message.data.get("body", ""),
            image=(android and android.image) or (general and general.image) or "",
            link=message.data.get("link", "") or link,
        )

    # --- tokens ------------------------------------------------------------------------------------
    def _authenticated(self, call: Call) -> bool:
        scheme, _, token = (call.headers.get("authorization") or "").partition(" ")
        if scheme.lower() != "bearer":
            return False
        valid_until = self._valid_until.get(token)
        if valid_until is None:
            valid_until = self._expiry(token)
            if len(self._valid_until) >= _REMEMBERED:
                self._valid_until.clear()
            self._valid_until[token] = valid_until
        return call.at < valid_until

    def _expiry(self, token: str) -> float:
        """Until when a bearer token holds; 0 for one we never issued. It carries its own proof, to outlive us."""
        try:
            claims = jwt.decode(
                token.removeprefix("ya29."),
                self._keys.fcm_token_secret,
                algorithms=["HS256"],
                options={"require": ["exp"], "verify_exp": False},
            )
        except jwt.InvalidTokenError:
            return 0
        return float(claims["exp"])

    def _grant(self, call: Call) -> Answer:
        """RFC 7523: an assertion signed by the service account, for a bearer token."""
        if call.method != "POST":
            return _oauth_error("invalid_request", "Bad method")
        form = parse_qs(call.body.decode("utf-8", "replace"))
        if form.get("grant_type") != [_GRANT]:
            return _oauth_error("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', [''])[0]}")
        try:
            claims = self._assertion(form.get("assertion", [""])[0], call.at)
        except jwt.InvalidTokenError as error:
            return _oauth_error("invalid_grant", f"Invalid JWT: {error}")
        if not _SCOPES & set(str(claims.get("scope", "")).split()):
            return _oauth_error("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        expires_at = int(call.at) + _LIFETIME
        secret = self._keys.fcm_token_secret
        token = "ya29." + jwt.encode({"exp": expires_at, "jti": secrets.token_hex(8)}, secret, algorithm="HS256")
        return Answer(
            200,
            _JSON,
            msgspec.json.encode({"access_token": token, "expires_in": _LIFETIME, "token_type": "Bearer"}),
        )

    def _assertion(self, assertion: str, at: float) -> dict[str, Any]:
        """The claims of a service account's assertion. Raises `jwt.InvalidTokenError`."""
        claims: dict[str, Any] = jwt.decode(
            assertion,
            self._public,
            algorithms=["RS256"],
            issuer=self._keys.fcm_email,
            audience=self._audiences,
            leeway=60,
            options={"require": ["iss", "aud", "iat", "exp"]},
        )
        if claims["exp"] - claims["iat"] > 3600 or claims["iat"] < at - 3600:
            raise jwt.InvalidTokenError("Token must be a short-lived token (60 minutes) and in a reasonable timeframe.")
        return claims


def _bad_message(message: Message, messages: tuple[Taken, ...]) -> Answer | None:
    targets = sum(bool(target) for target in (message.token, message.topic, message.condition, message.fid))
    if targets != 1:
        return _bad_request("Recipient of the message is not set.", "message", messages, code="INVALID_ARGUMENT")
    reserved = next((key for key in message.data if key in {"from", "message_type"} or _reserved(key)), None)
    if reserved:
        return _bad_request(f"Invalid data payload key: {reserved}", "message.data", messages)
    if _size(message) > (_TOPIC_LIMIT if message.topic else _LIMIT):
        return _fcm_error(400, "INVALID_ARGUMENT", messages, "Android message is too big")
    if message.token and not _TOKEN.fullmatch(message.token):
        return _fcm_error(400, "INVALID_ARGUMENT", messages)
    status = next((status for start, status in _SPECIAL.items() if message.token.startswith(start)), None)
    if status is None:
        return None
    refusal = _fcm_error(status, _CODE_OF_STATUS[status], messages)
    if status in {429, 503}:
        return msgspec.structs.replace(refusal, headers=(*refusal.headers, ("retry-after", "60")))
    return refusal


def _reserved(key: str) -> bool:
    """ "The key should not be a reserved word ('from', 'message_type', or any word starting with 'google.' or
    'gcm.notification.')": the reference of `Message.data`.
    """
    return key.startswith(("google.", "gcm.notification."))


def _size(message: Message) -> int:
    data = sum(len(key.encode()) + len(value.encode()) for key, value in message.data.items())
    return data + (len(msgspec.json.encode(message.notification)) if message.notification else 0)


def _fcm_error(status: int, code: str, messages: tuple[Taken, ...], sentence: str = "") -> Answer:
    detail = {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}
    return _error(status, sentence or _SENTENCES.get(code, code), [detail], messages, code)


def _bad_request(sentence: str, field: str, messages: tuple[Taken, ...], code: str = "") -> Answer:
    violation = {"description": sentence} | ({"field": field} if field else {})
    details: list[dict[str, Any]] = [
        {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}
    ]
    if code:
        details.append({"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code})
    return _error(400, sentence, details, messages, "INVALID_ARGUMENT")


def _plain_refusal(status: int, sentence: str, messages: tuple[Taken, ...] = ()) -> Answer:
    return _error(status, sentence, [], messages, _STATUS_NAMES[status])


def _unauthenticated() -> Answer:
    sentence = (
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
    )
    detail = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ACCESS_TOKEN_TYPE_UNSUPPORTED",
        "domain": "googleapis.com",
        "metadata": {
            "method": "google.firebase.fcm.v1.FcmService.SendMessage",
            "service": "fcm.googleapis.com",
        },
    }
    answer = _error(401, sentence, [detail], (), "UNAUTHENTICATED")
    challenge = ("www-authenticate", 'Bearer realm="https://accounts.google.com/", error="invalid_token"')
    return msgspec.structs.replace(answer, headers=(*answer.headers, challenge))


def _error(
    status: int, sentence: str, details: list[dict[str, Any]], messages: tuple[Taken, ...], reason: str
) -> Answer:
    name = _STATUS_NAMES.get(status, "UNKNOWN")
    error: dict[str, Any] = {"code": status, "message": sentence, "status": name}
    if details:
        error["details"] = details
    return Answer(status, _JSON, msgspec.json.encode({"error": error}), messages, f"{status} {reason}")


def _oauth_error(error: str, description: str) -> Answer:
    body = msgspec.json.encode({"error": error, "error_description": description})
    return Answer(400, _JSON, body, refused=f"400 {error}")
