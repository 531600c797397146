"""The door for what apps have to tell of their messages, up to a thousand events at a time."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import Caller, needs
from accounts.models import Scope
from accounts.strict import Strict
from notifications import tracked
from notifications.api.entries import Entry, what_is_wrong
from notifications.api.field_errors import field_errors
from notifications.clock import clock
from notifications.tracked import NotALink
from notifications.vocabulary import ReceiptKind
from tracking import telling
from tracking.converting import Teller
from tracking.telling import NeverSent, Told, Unknown

MAX_EVENTS: Final = 1000
#: How far the clock of a phone may be ahead, and how late it may come into a net.
_AHEAD, _LATE = timedelta(minutes=5), timedelta(days=90)
_KINDS: Final = (ReceiptKind.DELIVERED, ReceiptKind.OPENED, ReceiptKind.CLICKED)


class EventEntry(Strict):
    """What happened to one message where it arrived."""

    delivery = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=[kind.value for kind in _KINDS])
    at = serializers.DateTimeField(required=False, help_text="When it happened; without it, now.")
    link = serializers.CharField(required=False, help_text="Where a click led: http:// or https://.")

    def validate_link(self, value: str) -> str:
        """An address of a web page."""
        try:
            tracked.destination(value)
        except NotALink as error:
            raise serializers.ValidationError(str(error)) from None
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Only clicks lead anywhere."""
        if "link" in attrs and attrs["kind"] != ReceiptKind.CLICKED:
            raise serializers.ValidationError({"link": "Only what was clicked has a link; leave it out."})
        return attrs


class EventsRequest(Strict):
    """Many events at once. Each is checked by itself, so that one bad one spoils nothing."""

    events = serializers.ListField(
        child=Entry(),
        min_length=1,
        max_length=MAX_EVENTS,
        help_text="Each with `delivery`, `kind` (delivered, opened, clicked), and perhaps `at` and `link`.",
    )


class RejectedAnswer(serializers.Serializer[Any]):
    """What was wrong with one event."""

    index = serializers.IntegerField()
    status = serializers.IntegerField()
    problem = serializers.DictField()


class EventsAnswer(serializers.Serializer[Any]):
    """How many events were kept, and what is wrong with the others."""

    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    results = RejectedAnswer(many=True, help_text="Of those that were rejected.")


class Events(APIView):
    """What apps tell of messages that they got."""

    permission_classes = (needs(Scope.EVENTS_WRITE),)
    entries_in = "events"

    @extend_schema(operation_id="events_report", request=EventsRequest, responses={202: EventsAnswer})
    def post(self, request: Request) -> Response:
        """Say that messages were delivered, opened or clicked. The good events are kept, the others told by index.

        They are applied within a second. Telling one again changes nothing.
        """
        at = clock.now()
        asked = EventsRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        caller: object = request.user
        assert isinstance(caller, Caller)
        events = asked.validated_data["events"]
        told, results = _read(events, at)
        results += [
            _refused(index, why)
            for index, why in telling.keep(told, Teller(caller.application_id, caller.mode), at).items()
        ]
        results.sort(key=lambda one: one["index"])
        answer = {"accepted": len(events) - len(results), "rejected": len(results), "results": results}
        return Response(answer, status=status.HTTP_202_ACCEPTED)


def _read(events: list[Any], at: datetime) -> tuple[list[Told], list[dict[str, Any]]]:
    """The events that can be read, and what is wrong with the others."""
    told, rejected = [], []
    for index, event in enumerate(events):
        entry = EventEntry(data=event)
        if wrong := what_is_wrong(entry):
            rejected.append(_rejected(index, 422, "Some fields cannot be accepted.", errors=field_errors(wrong)))
            continue
        said: Mapping[str, Any] = entry.validated_data
        moment = said.get("at", at)
        if not at - _LATE <= moment <= at + _AHEAD:
            early_or_late = {
                "field": "at",
                "message": f"At most 5 minutes ahead and 90 days ago; it is {at:%Y-%m-%dT%H:%M:%SZ} now.",
            }
            rejected.append(_rejected(index, 422, "Some fields cannot be accepted.", errors=[early_or_late]))
            continue
        told.append(Told(index, said["delivery"], ReceiptKind(said["kind"]), min(moment, at), said.get("link", "")))
    return told, rejected


def _refused(index: int, why: type[Unknown | NeverSent]) -> dict[str, Any]:
    if why is Unknown:
        errors = [
            {
                "field": "delivery",
                "message": "There is no such delivery, or it is of another application or mode than the key.",
            }
        ]
        return _rejected(index, 404, "There is nothing here.", errors=errors)
    errors = [{"field": "delivery", "message": "It has not been sent, so nobody can have seen it."}]
    return _rejected(index, 409, "This delivery has not been sent.", errors=errors)


def _rejected(index: int, code: int, title: str, *, errors: list[dict[str, str]]) -> dict[str, Any]:
    return {"index": index, "status": code, "problem": {"title": title, "errors": errors}}
