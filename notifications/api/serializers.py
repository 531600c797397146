"""JSON in, frozen values out; and the shapes of the answers, for the documentation."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.channels import Channel
from accounts.recipients import Invalid, normal_email, normal_locale, normal_phone
from accounts.strict import Strict
from notifications.api.entries import Entry
from notifications.api.paging import PageAnswer, PageQuery
from notifications.api.way import RoutingRequest, foreign_to, wish
from notifications.facts import Addressee
from notifications.intake import Submission
from notifications.models import Delivery
from notifications.planning.values import Criteria
from notifications.timeline import timeline
from notifications.vocabulary import DeliveryState, Urgency

MAX_RECIPIENTS: Final = 1000
MAX_BATCH: Final = 500
#: Scheduled deliveries wait in the log's partition of the day they were accepted, which retention drops one day.
_LATEST: Final = timedelta(days=60)

_ADDRESSEE_SCHEMA: Final[dict[str, Any]] = {
    "oneOf": [
        {"type": "string", "description": "A recipient's external_id."},
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "external_id": {"type": "string"},
                "email": {"type": "string", "format": "email"},
                "phone": {"type": "string", "description": "E.164."},
                "locale": {"type": "string"},
                "data": {"type": "object", "additionalProperties": True},
            },
        },
    ]
}


@extend_schema_field({"type": "array", "items": _ADDRESSEE_SCHEMA, "minItems": 1, "maxItems": MAX_RECIPIENTS})
class AddresseesField(serializers.Field[tuple[Addressee, ...], Any, Any, Any]):
    """External ids, or objects with one, or contacts given inline. Written for lists of a thousand."""

    def to_internal_value(self, data: Any) -> tuple[Addressee, ...]:
        """The addressees. Raises with the place of each entry that cannot be accepted."""
        if not isinstance(data, list) or not data:
            raise serializers.ValidationError("Give a list of external ids or contacts, at least one.")
        if len(data) > MAX_RECIPIENTS:
            raise serializers.ValidationError(
                f"{len(data)} recipients are too many: send at most {MAX_RECIPIENTS} in one request."
            )
        found: list[Addressee] = []
        errors: dict[int, str] = {}
        for position, entry in enumerate(data):
            try:
                found.append(_addressee(entry))
            except Invalid as error:
                errors[position] = str(error)
        if not errors:
            errors = _repeated(found)
        if errors:
            raise serializers.ValidationError([[errors[i]] if i in errors else [] for i in range(len(data))])
        return tuple(found)

    def to_representation(self, value: Any) -> Any:
        """Never used: addressees only come in."""
        return value


def _addressee(entry: Any) -> Addressee:
    match entry:
        case str() if entry:
            return Addressee(external_id=entry)
        case {"external_id": str(external_id), **rest} if external_id and not set(rest) - {"locale", "data"}:
            return Addressee(external_id, locale=_locale(rest), data=_data(rest))
        case dict() if "external_id" not in entry and not set(entry) - {"email", "phone", "locale", "data"}:
            email, phone = entry.get("email") or "", entry.get("phone") or ""
            if not email and not phone:
                raise Invalid("A contact needs an email or a phone.")
            return Addressee(
                email=normal_email(email) if email else "",
                phone=normal_phone(phone) if phone else "",
                locale=_locale(entry),
                data=_data(entry),
            )
        case _:
            raise Invalid(
                "Give an external_id, an object with external_id and optionally locale and data, "
                "or a contact with email, phone, locale and data."
            )


def _locale(entry: Mapping[Any, Any]) -> str:
    return normal_locale(entry["locale"]) if entry.get("locale") else ""


def _data(entry: Mapping[Any, Any]) -> Mapping[str, Any]:
    data = entry.get("data") or {}
    if not isinstance(data, dict):
        raise Invalid("data must be an object.")
    return data


def _repeated(found: list[Addressee]) -> dict[int, str]:
    seen: set[tuple[str, str, str]] = set()
    errors: dict[int, str] = {}
    for position, one in enumerate(found):
        identity = (one.external_id, one.email, one.phone)
        if identity in seen:
            errors[position] = "Named twice in this request."
        seen.add(identity)
    return errors


class AudienceRequest(Strict):
    """Whom to write to when nobody is named: everybody who meets all of these; an empty object is everybody."""

    country = serializers.CharField(max_length=2, required=False, help_text="ISO 3166-1, for example KR.")
    locale = serializers.CharField(max_length=35, required=False, help_text="BCP 47, exactly as stored.")
    external_id_prefix = serializers.CharField(max_length=128, required=False)


class NotificationRequest(Strict):
    """What a caller asks for."""

    template = serializers.CharField(max_length=80, help_text="The name of a published template.")
    recipients = AddresseesField(
        required=False, help_text=f"1 to {MAX_RECIPIENTS} external ids, or contacts given inline."
    )
    audience = AudienceRequest(
        required=False, help_text="In place of recipients: all who meet these criteria, planned by workers in chunks."
    )
    data = serializers.DictField(  # type: ignore[assignment] # a field called data, as in the API
        required=False, default=dict, help_text="What the template's text asks for."
    )
    channels = serializers.ListField(
        child=serializers.ChoiceField(choices=[channel.value for channel in Channel]),
        required=False,
        allow_empty=False,
        help_text="Where to send; left out: every channel the template has text for.",
    )
    routing = RoutingRequest(
        required=False, help_text="Which of the channels it takes; left out: as the template or its category has it."
    )
    urgency = serializers.ChoiceField(choices=[urgency.value for urgency in Urgency], default=Urgency.NORMAL.value)
    digest_key = serializers.CharField(
        max_length=200,
        required=False,
        help_text="What has the same key goes to each person as one message, when the category's digest ends: its "
        "text is given `items`, the data of each, and `count`. Where the category gathers nothing, and for what is "
        "critical, it is sent at once.",
    )
    send_at = serializers.DateTimeField(required=False, allow_null=True, help_text="Not before this moment.")
    expires_at = serializers.DateTimeField(required=False, allow_null=True, help_text="Of no use from this moment on.")
    dry_run = serializers.BooleanField(default=False, help_text="Only say what would be done.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Moments must lie in the order in which they are to happen."""
        if ("recipients" in attrs) == ("audience" in attrs):
            raise serializers.ValidationError({"recipients": "Give recipients or an audience, one of the two."})
        if odd := foreign_to(attrs.get("routing", {}).get("order", ()), attrs.get("channels", ())):
            raise serializers.ValidationError(
                {"routing": {"order": [f"{odd[0]} is not among the channels asked for."]}}
            )
        at: datetime = self.context["at"]
        send_at, expires_at = attrs.get("send_at"), attrs.get("expires_at")
        if expires_at and expires_at <= at:
            raise serializers.ValidationError({"expires_at": f"Lies in the past; it is {at:%Y-%m-%dT%H:%M:%SZ} now."})
        if send_at and send_at > at + _LATEST:
            raise serializers.ValidationError({"send_at": f"At most {_LATEST.days} days ahead."})
        if attrs.get("digest_key"):
            _alone_decides(attrs)
        if send_at and expires_at and expires_at <= send_at:
            raise serializers.ValidationError({"expires_at": "Must come after send_at."})
        return attrs

    def submission(self) -> Submission:
        """The validated request as a value."""
        asked: Mapping[str, Any] = self.validated_data
        return Submission(
            template=asked["template"],
            addressees=asked.get("recipients", ()),
            audience=Criteria(**asked["audience"]) if "audience" in asked else None,
            data=asked["data"],
            channels=tuple(dict.fromkeys(Channel(name) for name in asked.get("channels", ()))),
            urgency=Urgency(asked["urgency"]),
            wish=wish(asked.get("routing")),
            digest_key=asked.get("digest_key", ""),
            send_at=asked.get("send_at"),
            expires_at=asked.get("expires_at"),
            dry_run=asked["dry_run"],
        )


def _alone_decides(attrs: Mapping[str, Any]) -> None:
    """When a digest leaves, and how, is its category's matter: one item cannot decide it for the others."""
    if attrs.get("send_at"):
        raise serializers.ValidationError(
            {"send_at": "What is gathered leaves when its digest ends; leave out send_at, or digest_key."}
        )
    if "routing" in attrs:
        raise serializers.ValidationError(
            {"routing": "A digest goes as its template or category has it; leave out routing, or digest_key."}
        )


class BatchRequest(Strict):
    """Many requests at once. Each entry is checked by itself, so that one bad one spoils nothing."""

    notifications = serializers.ListField(
        child=Entry(),
        min_length=1,
        max_length=MAX_BATCH,
        help_text="Each as for a single request.",
    )


class FateAnswer(serializers.Serializer[Any]):
    """What was decided for one recipient on one channel."""

    recipient = serializers.CharField()
    channel = serializers.ChoiceField(choices=[channel.value for channel in Channel])
    decision = serializers.ChoiceField(choices=["send", "hold", "later", "gather", "drop"])
    deliveries = serializers.ListField(child=serializers.UUIDField())
    due_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    explanation = serializers.CharField(allow_blank=True)


class AcceptanceAnswer(serializers.Serializer[Any]):
    """The answer to a request: what will be sent, and what will not, and why."""

    id = serializers.UUIDField(allow_null=True, help_text="Null for a dry run.")
    planned = serializers.IntegerField(help_text="Deliveries that will be sent.")
    suppressed = serializers.IntegerField(help_text="Recipients and channels that get nothing.")
    recipients = FateAnswer(many=True)
    audience = serializers.IntegerField(
        allow_null=True, help_text="How many people a dry run for an audience would plan for."
    )


class BatchEntryAnswer(serializers.Serializer[Any]):
    """What became of one entry of a batch."""

    index = serializers.IntegerField()
    status = serializers.IntegerField()
    notification = AcceptanceAnswer(required=False)
    problem = serializers.DictField(required=False)


class BatchAnswer(serializers.Serializer[Any]):
    """The answer to a batch."""

    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    results = BatchEntryAnswer(many=True)


class PlanningAnswer(serializers.Serializer[Any]):
    """How far planning has walked through an audience."""

    people = serializers.IntegerField(help_text="Recipients planned so far.")
    planned = serializers.IntegerField(help_text="Deliveries planned so far.")
    suppressed = serializers.IntegerField(help_text="Recipients and channels that get nothing, so far.")
    finished_at = serializers.DateTimeField(allow_null=True)


class NotificationAnswer(serializers.Serializer[Any]):
    """A notification and how far it got."""

    id = serializers.UUIDField()
    template = serializers.CharField()
    version = serializers.IntegerField()
    mode = serializers.CharField()
    urgency = serializers.CharField()
    accepted_at = serializers.DateTimeField()
    send_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)
    planning = PlanningAnswer(allow_null=True, help_text="Null where the recipients were named.")
    deliveries = serializers.DictField(child=serializers.IntegerField(), help_text="How many, by state.")


class DeliveryAnswer(serializers.ModelSerializer[Delivery]):
    """One message to one address."""

    recipient = serializers.CharField(source="recipient.external_id", default=None, allow_null=True)
    channel = serializers.ChoiceField(choices=[channel.value for channel in Channel])
    planned_at = serializers.DateTimeField()
    reason_text = serializers.CharField()

    class Meta:
        model = Delivery
        fields = (
            "id", "notification", "recipient", "channel", "queue", "state", "reason", "reason_text", "locale",
            "attempt", "planned_at", "due_at", "sent_at",
        )  # fmt: skip


class MomentAnswer(serializers.Serializer[Any]):
    """One line of a timeline."""

    at = serializers.DateTimeField()
    what = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)


class TimelineAnswer(DeliveryAnswer):
    """One message with everything that happened to it, oldest first."""

    timeline = serializers.SerializerMethodField()

    class Meta:
        model = Delivery
        fields = (*DeliveryAnswer.Meta.fields, "timeline")

    @extend_schema_field(MomentAnswer(many=True))
    def get_timeline(self, delivery: Delivery) -> Any:
        """From acceptance to the last news."""
        return MomentAnswer(timeline(delivery), many=True).data


class DeliveryFilter(PageQuery):
    """Which deliveries of a notification to list."""

    state = serializers.ChoiceField(choices=[state.value for state in DeliveryState], required=False)


class DeliveriesAnswer(PageAnswer):
    """A page of the deliveries of a notification."""

    results = DeliveryAnswer(many=True)


class ReplayAnswer(serializers.Serializer[Any]):
    """How much is tried again."""

    replayed = serializers.IntegerField()


class CancelAnswer(serializers.Serializer[Any]):
    """What could still be withdrawn."""

    cancelled = serializers.IntegerField()
    too_late = serializers.IntegerField(help_text="Deliveries that were sent, or were being sent, already.")
