"""The door for what product teams count as a success: a purchase, a booking, a return to the app."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import Caller, needs
from accounts.models import Scope
from accounts.strict import Strict
from notifications.api.entries import Entry, what_is_wrong
from notifications.api.field_errors import field_errors
from notifications.clock import clock
from tracking import converting
from tracking.converting import Kept, Refused, Teller, Told
from tracking.currencies import CURRENCIES

MAX_CONVERSIONS: Final = 1000
#: How far another clock may be ahead, and how late a conversion may be told: a click counts for 90 days at most.
_AHEAD, _LATE = timedelta(minutes=5), timedelta(days=90)
#: More than anybody pays at once, in whatever currency; a value in the wrong unit, or a phone number, is found by it.
_MOST: Final = Decimal(100_000_000_000)

_PUT_DOWN: Final = "The last click before it."
_NOT_PUT_DOWN: Final = (
    "No click of this person in the days before it that the category of the message lets pass. "
    "It is put down to one that is told later."
)


class ConversionRequest(Strict):
    """One success of a person, or of whoever got a delivery."""

    ref = serializers.CharField(max_length=200, help_text="Your own id of it: told twice, it counts once.")
    name = serializers.CharField(max_length=60, default="conversion", help_text="What it is, such as purchase.")
    delivery = serializers.UUIDField(required=False, help_text="Whoever got this,")
    recipient = serializers.CharField(max_length=128, required=False, help_text="or whoever has this external_id.")
    value = serializers.DecimalField(
        max_digits=18,
        decimal_places=6,
        min_value=Decimal(0),
        max_value=_MOST,
        required=False,
        help_text="What it is worth, with its currency; left out: only counted.",
    )
    currency = serializers.CharField(required=False, help_text="ISO 4217, for example KRW.")
    at = serializers.DateTimeField(required=False, help_text="When it happened; left out: now.")

    def validate_currency(self, value: str) -> str:
        """One that exists."""
        if value not in CURRENCIES:
            raise serializers.ValidationError("Is no currency of ISO 4217; write its three capitals, for example KRW.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One name for whom it is about, and no value without a currency."""
        if ("delivery" in attrs) == ("recipient" in attrs):
            raise serializers.ValidationError({"recipient": "Give a delivery or a recipient, one of the two."})
        if ("value" in attrs) != ("currency" in attrs):
            missing, given = ("currency", "value") if "value" in attrs else ("value", "currency")
            raise serializers.ValidationError({missing: f"Give it together with the {given}, or neither."})
        return attrs


class ConversionsRequest(Strict):
    """Many at once. Each is checked by itself, so that one bad one spoils nothing."""

    conversions = serializers.ListField(
        child=Entry(),
        min_length=1,
        max_length=MAX_CONVERSIONS,
        help_text="Each as for a single request.",
    )


class ConversionAnswer(serializers.Serializer[Any]):
    """A conversion that is kept."""

    id = serializers.UUIDField()
    ref = serializers.CharField()
    attributed_to = serializers.UUIDField(allow_null=True, help_text="The delivery whose click came last before it.")
    explanation = serializers.CharField()


class ConversionEntryAnswer(serializers.Serializer[Any]):
    """What became of one of many."""

    index = serializers.IntegerField()
    status = serializers.IntegerField()
    conversion = ConversionAnswer(required=False)
    problem = serializers.DictField(required=False)


class ConversionsAnswer(serializers.Serializer[Any]):
    """The answer to many."""

    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    results = ConversionEntryAnswer(many=True)


@dataclass(frozen=True, slots=True)
class _Wrong:
    """What is wrong with an entry, as a serializer says it."""

    detail: Any


class Conversions(APIView):
    """What product teams count as a success."""

    permission_classes = (needs(Scope.EVENTS_WRITE),)
    entries_in = "conversions"

    @extend_schema(
        operation_id="conversions_report",
        request=PolymorphicProxySerializer(
            component_name="OneConversionOrMany",
            serializers=[ConversionRequest, ConversionsRequest],
            resource_type_field_name=None,
        ),
        responses=PolymorphicProxySerializer(
            component_name="OneConversionOrManyAnswer",
            serializers=[ConversionAnswer, ConversionsAnswer],
            resource_type_field_name=None,
        ),
    )
    def post(self, request: Request) -> Response:
        """Say that somebody did what you hoped for: one conversion, or many as `conversions`.

        It is put down to the last message of which this person clicked a link, within the days that the message's
        category says. Telling it again changes nothing and answers the same.
        """
        at, by = clock.now(), _teller(request)
        if isinstance(request.data, Mapping) and "conversions" in request.data:
            asked = ConversionsRequest(data=request.data)
            asked.is_valid(raise_exception=True)
            return Response(_told_many(asked.validated_data["conversions"], by, at))
        [answer] = _told([request.data], by, at)
        if not isinstance(answer, Kept):
            raise ValidationError(_detail(answer))
        return Response(_said(answer))


def _told_many(entries: Sequence[Any], by: Teller, at: datetime) -> Mapping[str, Any]:
    results: list[Mapping[str, Any]] = []
    for index, answer in enumerate(_told(entries, by, at)):
        if isinstance(answer, Kept):
            results.append({"index": index, "status": 200, "conversion": _said(answer)})
        else:
            problem = {"title": "Some fields cannot be accepted.", "errors": field_errors(_detail(answer))}
            results.append({"index": index, "status": 422, "problem": problem})
    rejected = sum(result["status"] != 200 for result in results)
    return {"accepted": len(results) - rejected, "rejected": rejected, "results": results}


def _told(entries: Sequence[Any], by: Teller, at: datetime) -> Sequence[Kept | Refused | _Wrong]:
    """An answer for each: what can be read is told, all of it together."""
    read = [_read(entry, at) for entry in entries]
    answers = iter(converting.tell([one for one in read if isinstance(one, Told)], by, at))
    return [next(answers) if isinstance(one, Told) else one for one in read]


def _read(entry: Any, at: datetime) -> Told | _Wrong:
    asked = ConversionRequest(data=entry)
    if wrong := what_is_wrong(asked):
        return _Wrong(wrong)
    said: Mapping[str, Any] = asked.validated_data
    moment = said.get("at")
    if moment is not None and not at - _LATE <= moment <= at + _AHEAD:
        now = f"{at:%Y-%m-%dT%H:%M:%SZ}"
        return _Wrong({"at": f"Lies at most 5 minutes ahead and {_LATE.days} days back; it is {now} now."})
    return Told(
        ref=said["ref"],
        name=said["name"],
        delivery_id=said.get("delivery"),
        recipient=said.get("recipient", ""),
        value=said.get("value", Decimal(0)),
        currency=said.get("currency", ""),
        at=moment,
    )


def _detail(answer: Refused | _Wrong) -> Any:
    return dict(answer.errors) if isinstance(answer, Refused) else answer.detail


def _said(kept: Kept) -> Mapping[str, Any]:
    return {
        "id": kept.id,
        "ref": kept.ref,
        "attributed_to": kept.attributed_to,
        "explanation": _PUT_DOWN if kept.attributed_to else _NOT_PUT_DOWN,
    }


def _teller(request: Request) -> Teller:
    caller: object = request.user
    assert isinstance(caller, Caller)
    return Teller(caller.application_id, caller.mode)
