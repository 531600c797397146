"""The door for what an app has to tell of a message: that it came, and that somebody opened it."""

from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import Caller, needs
from accounts.models import Scope
from accounts.strict import Strict
from notifications import receiving
from notifications.clock import clock
from notifications.models import Delivery
from notifications.vocabulary import ReceiptKind


class NeverSent(APIException):
    """Nobody can have seen what has not left."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "This delivery has not been sent, so nobody can have seen it."


class EventRequest(Strict):
    """What happened to a message where it arrived."""

    kind = serializers.ChoiceField(choices=[ReceiptKind.DELIVERED.value, ReceiptKind.OPENED.value])


class DeliveryEvents(APIView):
    """What an app tells of a message that it got."""

    permission_classes = (needs(Scope.NOTIFICATIONS_WRITE),)

    @extend_schema(operation_id="deliveries_report", request=EventRequest, responses={204: None})
    def post(self, request: Request, delivery_id: UUID) -> Response:
        """Say that a message was delivered or opened. Push services do not tell, so the app does, through its backend.

        It is applied within a second. Telling it again changes nothing.
        """
        told = EventRequest(data=request.data)
        told.is_valid(raise_exception=True)
        caller: object = request.user
        assert isinstance(caller, Caller)
        mine = Delivery.objects.filter(
            notification__application_id=caller.application_id, notification__mode=caller.mode
        )
        delivery = mine.filter(pk=delivery_id).first()
        if delivery is None:
            raise Http404
        if not delivery.attempt:
            raise NeverSent
        receiving.told_by_app(delivery.pk, ReceiptKind(told.validated_data["kind"]), clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
