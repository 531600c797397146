"""The doors for programs: notifications, and what became of them."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Count
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import Caller, needs
from accounts.models import Scope
from notifications import intake, recovery
from notifications.api import serializers
from notifications.api.entries import Unreadable
from notifications.api.field_errors import field_errors
from notifications.api.paging import OldestFirst
from notifications.clock import clock
from notifications.intake import Acceptance, Fate, Sender, Unacceptable
from notifications.ledger.cancel import cancel
from notifications.ledger.idempotency import Repeat
from notifications.ledger.replay import Choice
from notifications.models import Audience, Delivery, Notification

_KEY_HEADER: Final = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Same key and body: the first answer again. Same key, another body: 422. Kept for three days.",
)
_KEY_FORM: Final = re.compile(r"[\x21-\x7e]{1,255}")


class Notifications(APIView):
    """Ask for a notification."""

    permission_classes = (needs(Scope.NOTIFICATIONS_WRITE),)

    @extend_schema(
        operation_id="notifications_create",
        request=serializers.NotificationRequest,
        responses={202: serializers.AcceptanceAnswer},
        parameters=[_KEY_HEADER],
    )
    def post(self, request: Request) -> Response:
        """Accept one notification: 202 says, per recipient and channel, what will be sent, what not, and why."""
        at, body = clock.now(), request.data
        return _answered_once(request, lambda: accepted(body, _sender(request), at))


class NotificationBatches(APIView):
    """Ask for many notifications at once."""

    permission_classes = (needs(Scope.NOTIFICATIONS_WRITE),)
    entries_in = "notifications"

    @extend_schema(
        operation_id="notifications_create_batch",
        request=serializers.BatchRequest,
        responses={202: serializers.BatchAnswer},
        parameters=[_KEY_HEADER],
    )
    def post(self, request: Request) -> Response:
        """Accept many at once. The good entries are accepted, the others reported by their index."""
        at = clock.now()
        entries = serializers.BatchRequest(data=request.data)
        entries.is_valid(raise_exception=True)
        wanted, sender = entries.validated_data["notifications"], _sender(request)
        return _answered_once(request, lambda: batch_accepted(wanted, sender, at))


class NotificationDetail(APIView):
    """One notification."""

    permission_classes = (needs(Scope.NOTIFICATIONS_READ),)

    @extend_schema(operation_id="notifications_retrieve", responses=serializers.NotificationAnswer)
    def get(self, request: Request, notification_id: UUID) -> Response:
        """One notification. What was asked for, and how many deliveries are in which state."""
        return Response(serializers.NotificationAnswer(summary(_own(request, notification_id))).data)


class NotificationCancel(APIView):
    """Withdraw a notification."""

    permission_classes = (needs(Scope.NOTIFICATIONS_WRITE),)

    @extend_schema(operation_id="notifications_cancel", request=None, responses=serializers.CancelAnswer)
    def post(self, request: Request, notification_id: UUID) -> Response:
        """Withdraw what has not been sent. Repeating it does no harm."""
        return Response(asdict(cancel(_own(request, notification_id).id, clock.now())))


class NotificationReplay(APIView):
    """Another try for what failed for good."""

    permission_classes = (needs(Scope.NOTIFICATIONS_WRITE),)

    @extend_schema(operation_id="notifications_replay", request=None, responses={202: serializers.ReplayAnswer})
    def post(self, request: Request, notification_id: UUID) -> Response:
        """Try the dead letters of a notification again. Those are the deliveries whose attempts were used up."""
        choice = Choice(notification_id=_own(request, notification_id).id)
        return Response({"replayed": recovery.replay(choice, clock=clock.now)}, status=202)


class NotificationDeliveries(APIView):
    """The deliveries of a notification."""

    permission_classes = (needs(Scope.NOTIFICATIONS_READ),)

    @extend_schema(
        operation_id="notifications_deliveries",
        parameters=[serializers.DeliveryFilter],
        responses=serializers.DeliveriesAnswer,
    )
    def get(self, request: Request, notification_id: UUID) -> Response:
        """The deliveries of a notification. In the order planned; `next` is the address of the next page."""
        asked = serializers.DeliveryFilter(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        found = Delivery.objects.of(_own(request, notification_id).id).select_related("recipient")
        if state := asked.validated_data.get("state"):
            found = found.filter(state=state)
        pages = OldestFirst()
        page = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response(serializers.DeliveryAnswer(page, many=True).data)


class DeliveryDetail(APIView):
    """One delivery."""

    permission_classes = (needs(Scope.NOTIFICATIONS_READ),)

    @extend_schema(operation_id="deliveries_retrieve", responses=serializers.TimelineAnswer)
    def get(self, request: Request, delivery_id: UUID) -> Response:
        """One delivery with its timeline."""
        delivery = (
            Delivery.objects.select_related("recipient", "notification__version__template")
            .filter(pk=delivery_id, notification__application_id=_caller(request).application_id)
            .first()
        )
        if delivery is None:
            raise Http404
        return Response(serializers.TimelineAnswer(delivery).data)


def accepted(body: Any, sender: Sender, at: datetime) -> Mapping[str, Any]:
    """Check one request and accept it. Raises what is wrong with it."""
    asked = serializers.NotificationRequest(data=body, context={"at": at})
    asked.is_valid(raise_exception=True)
    return _told(intake.accept(asked.submission(), by=sender, at=at))


def batch_accepted(entries: list[Any], sender: Sender, at: datetime) -> Mapping[str, Any]:
    """Accept each entry by itself; a bad one is reported by its index."""
    results: list[Mapping[str, Any]] = []
    for index, entry in enumerate(entries):
        if isinstance(entry, Unreadable):
            results.append(_rejected(index, field_errors(entry.detail)))
            continue
        try:
            results.append({"index": index, "status": 202, "notification": accepted(entry, sender, at)})
        except ValidationError as error:
            results.append(_rejected(index, field_errors(error.detail)))
        except Unacceptable as error:
            results.append(_rejected(index, [asdict(problem) for problem in error.problems]))
    rejected = sum(result["status"] != 202 for result in results)
    return {"accepted": len(results) - rejected, "rejected": rejected, "results": results}


def summary(notification: Notification) -> Mapping[str, Any]:
    """A notification, and its deliveries counted by state."""
    by_state = Delivery.objects.of(notification.id).order_by().values_list("state").annotate(count=Count("id"))
    return {
        "id": notification.id,
        "template": notification.version.template.name,
        "version": notification.version.number,
        "mode": notification.mode,
        "urgency": notification.urgency,
        "accepted_at": notification.accepted_at,
        "send_at": notification.send_at,
        "expires_at": notification.expires_at,
        "cancelled_at": notification.cancelled_at,
        "planning": Audience.objects.filter(pk=notification.id).first(),
        "deliveries": dict(by_state),
    }


def _rejected(index: int, errors: list[dict[str, str]]) -> Mapping[str, Any]:
    return {"index": index, "status": 422, "problem": {"title": "Some fields cannot be accepted.", "errors": errors}}


def _told(acceptance: Acceptance) -> Mapping[str, Any]:
    return {
        "id": acceptance.id,
        "planned": acceptance.planned,
        "suppressed": acceptance.suppressed,
        "recipients": [_fate(fate) for fate in acceptance.fates],
        "audience": acceptance.audience,
    }


def _fate(fate: Fate) -> Mapping[str, Any]:
    return {
        "recipient": fate.recipient,
        "channel": fate.channel,
        "decision": fate.decision,
        "deliveries": fate.deliveries,
        "due_at": fate.due_at,
        "reason": fate.reason,
        "explanation": fate.explanation,
    }


def _answered_once(request: Request, answer: Callable[[], Mapping[str, Any]]) -> Response:
    """202 with the answer, which an idempotency key makes the same for ever."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return Response(answer(), status=202)
    if not _KEY_FORM.fullmatch(key):
        raise ValidationError({"Idempotency-Key": "1 to 255 printable ASCII characters, without spaces."})
    digest = hashlib.sha256(request.path.encode() + b"\n" + request.META.get("bongsu.raw_body", b"")).digest()
    repeat = Repeat(_caller(request).application_id, key, digest)
    return Response(intake.once(repeat, answer), status=202)


def _caller(request: Request) -> Caller:
    caller: object = request.user
    assert isinstance(caller, Caller)
    return caller


def _sender(request: Request) -> Sender:
    caller = _caller(request)
    return Sender(caller.application_id, caller.mode)


def _own(request: Request, notification_id: UUID) -> Notification:
    """The application's own notification; anybody else's is not there."""
    found = (
        Notification.objects.select_related("version__template")
        .filter(
            pk=notification_id,
            application_id=_caller(request).application_id,
        )
        .first()
    )
    if found is None:
        raise Http404
    return found
