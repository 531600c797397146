"""The body of Mandrill's messages/send, field by field: mailchimp.com/developer/transactional/api/messages."""

import re
from typing import Annotated, Any, Final, Literal

import msgspec

#: "Tags should be 50 characters or less. Any tags starting with an underscore are reserved."
_Tag = Annotated[str, msgspec.Meta(max_length=50, pattern=r"^[^_]")]


class _Part(msgspec.Struct, forbid_unknown_fields=True):
    pass


class Recipient(_Part):
    """Who gets it."""

    email: str
    name: str | None = None
    type: Literal["to", "cc", "bcc"] | None = None


class _File(_Part):
    type: str
    name: str
    content: str


class _Variable(_Part):
    name: str
    content: Any


class _Variables(_Part):
    rcpt: str
    vars: list[_Variable] = []


class _RecipientMetadata(_Part):
    rcpt: str
    values: dict[str, Any] = {}


class Message(_Part):
    """What is sent."""

    to: Annotated[list[Recipient], msgspec.Meta(min_length=1, max_length=1000)]
    html: str | None = None
    text: str | None = None
    subject: Annotated[str, msgspec.Meta(max_length=998)] | None = None
    from_email: str | None = None
    from_name: str | None = None
    headers: dict[str, str] = {}
    important: bool | None = None
    track_opens: bool | None = None
    track_clicks: bool | None = None
    auto_text: bool | None = None
    auto_html: bool | None = None
    inline_css: bool | None = None
    url_strip_qs: bool | None = None
    preserve_recipients: bool | None = None
    view_content_link: bool | None = None
    bcc_address: str | None = None
    tracking_domain: str | None = None
    signing_domain: str | None = None
    return_path_domain: str | None = None
    merge: bool | None = None
    merge_language: Literal["mailchimp", "handlebars"] | None = None
    global_merge_vars: list[_Variable] = []
    merge_vars: list[_Variables] = []
    tags: list[_Tag] = []
    subaccount: str | None = None
    google_analytics_domains: list[str] = []
    google_analytics_campaign: str | list[str] | None = None
    metadata: dict[str, Any] = {}
    recipient_metadata: list[_RecipientMetadata] = []
    attachments: list[_File] = []
    images: list[_File] = []

    def metadata_of(self, email: str) -> dict[str, Any]:
        """The metadata of one recipient: the message's, and what is different for them."""
        own = [part.values for part in self.recipient_metadata if part.rcpt == email]
        return self.metadata | (own[-1] if own else {})


class Send(_Part):
    """The whole request."""

    message: Message
    key: str = ""
    is_async: bool | None = msgspec.field(default=None, name="async")
    ip_pool: str = ""
    send_at: str = ""


class _Keyed(msgspec.Struct):
    key: str = ""


_keyed: Final = msgspec.json.Decoder(_Keyed)
_reader: Final = msgspec.json.Decoder(Send)


class Unreadable(Exception):
    """The body is no valid request; the message says why in Mandrill's words."""


def key_of(body: bytes) -> str:
    """The API key, which is looked at before anything else. Raises `Unreadable` where there is none."""
    try:
        key = _keyed.decode(body).key
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        key = ""
    if not key:
        raise Unreadable("You must specify a key value")
    return key


def read(body: bytes) -> Send:
    """The request in a body. Raises `Unreadable` in Mandrill's words."""
    try:
        return _reader.decode(body)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        raise trouble(where.rstrip("`"), what) from None


def trouble(path: str, what: str) -> Unreadable:
    """`.message.to[0].email` and what is wrong there, as Mandrill nests them: {"message":{"to":[{"email":…}]}}."""
    nested: Any = what
    for name in reversed(re.findall(r"[^.\[\]`]+", path)):
        nested = [nested] if name.isdecimal() or name == "..." else {name: nested}
    return Unreadable(f"Validation error: {msgspec.json.encode(nested).decode()}")
