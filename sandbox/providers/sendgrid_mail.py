"""The body of SendGrid's mail send, field by field: twilio.com/docs/sendgrid/api-reference/mail-send."""

import re
from typing import Annotated, Any, Final, Literal

import msgspec

_Filled = Annotated[str, msgspec.Meta(min_length=1)]


class _Part(msgspec.Struct, forbid_unknown_fields=True):
    pass


class Person(_Part):
    """An address with an optional name."""

    email: str
    name: str = ""


_People = Annotated[list[Person], msgspec.Meta(max_length=1000)]


class Personalization(_Part):
    """One envelope: who gets it, and what is different for them."""

    to: Annotated[list[Person], msgspec.Meta(min_length=1, max_length=1000)]
    from_: Person | None = msgspec.field(default=None, name="from")
    cc: _People = []
    bcc: _People = []
    subject: _Filled | None = None
    headers: dict[str, str] = {}
    substitutions: dict[str, str] = {}
    dynamic_template_data: dict[str, Any] = {}
    custom_args: dict[str, str] = {}
    send_at: int | None = None


class Content(_Part):
    """One form of the body."""

    type: _Filled
    value: _Filled


class _Attachment(_Part):
    content: _Filled
    filename: str
    type: _Filled | None = None
    disposition: Literal["inline", "attachment"] = "attachment"
    content_id: str = ""


class _Asm(_Part):
    group_id: int
    groups_to_display: Annotated[list[int], msgspec.Meta(max_length=25)] = []


class Switch(_Part):
    """Something that is on or off."""

    enable: bool = False


class _Footer(Switch):
    text: str = ""
    html: str = ""


class _MailSettings(_Part):
    bypass_list_management: Switch | None = None
    bypass_spam_management: Switch | None = None
    bypass_bounce_management: Switch | None = None
    bypass_unsubscribe_management: Switch | None = None
    footer: _Footer | None = None
    sandbox_mode: Switch | None = None


class _ClickTracking(Switch):
    enable_text: bool = False


class _OpenTracking(Switch):
    substitution_tag: str = ""


class _SubscriptionTracking(_Footer):
    substitution_tag: str = ""


class _Analytics(Switch):
    utm_source: str = ""
    utm_medium: str = ""
    utm_term: str = ""
    utm_content: str = ""
    utm_campaign: str = ""


class _TrackingSettings(_Part):
    click_tracking: _ClickTracking | None = None
    open_tracking: _OpenTracking | None = None
    subscription_tracking: _SubscriptionTracking | None = None
    ganalytics: _Analytics | None = None


class Mail(_Part):
    """The whole request."""

    personalizations: Annotated[list[Personalization], msgspec.Meta(min_length=1, max_length=1000)]
    from_: Person = msgspec.field(name="from")
    reply_to: Person | None = None
    reply_to_list: _People = []
    subject: _Filled | None = None
    content: list[Content] = []
    attachments: list[_Attachment] = []
    template_id: str = ""
    headers: dict[str, str] = {}
    categories: Annotated[list[Annotated[str, msgspec.Meta(max_length=255)]], msgspec.Meta(max_length=10)] = []
    custom_args: dict[str, str] = {}
    send_at: int | None = None
    batch_id: str = ""
    asm: _Asm | None = None
    ip_pool_name: Annotated[str, msgspec.Meta(min_length=2, max_length=64)] | None = None
    mail_settings: _MailSettings | None = None
    tracking_settings: _TrackingSettings | None = None


_reader: Final = msgspec.json.Decoder(Mail)


class Unreadable(Exception):
    """The body is no valid request. `field` is where, in SendGrid's notation ("personalizations.0.to"), or None."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


def read(body: bytes) -> Mail:
    """The request in a body. Raises `Unreadable` in SendGrid's words."""
    try:
        return _reader.decode(body)
    except msgspec.ValidationError as error:
        raise _in_sendgrids_words(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unreadable("Bad Request") from None


def _in_sendgrids_words(trouble: str) -> Unreadable:
    what, _, where = trouble.partition(" - at `$")
    field = _dotted(where.rstrip("`"))
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", what)
    if unknown:
        return Unreadable(f"Additional property {unknown[1]} is not allowed", field or "(root)")
    missing = re.fullmatch(r"Object missing required field `(.*)`", what)
    if missing:
        return Unreadable(f"The {missing[1]} field is required.", f"{field}.{missing[1]}".lstrip("."))
    return Unreadable(f"{what}.", field)


def _dotted(path: str) -> str:
    """`.personalizations[2].to` as SendGrid writes it: `personalizations.2.to`."""
    return path.replace("[...]", "").replace("[", ".").replace("]", "").lstrip(".")
