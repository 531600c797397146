"""The doors for programs: recipients, their devices, their preferences."""

from typing import TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import consent, devices, recipients, serializers
from accounts.authentication import Caller, needs
from accounts.consent import Actor, Via, Witness
from accounts.models import Device, Preference, Recipient, Scope
from accounts.recipients import Invalid, normal_external_id
from accounts.strict import Strict

Asked = TypeVar("Asked", bound=Strict)


class ReadersAndWriters(APIView):
    """Reading and writing have scopes of their own."""

    def get_permissions(self) -> list[BasePermission]:
        """What this method asks for."""
        reads = self.request.method in SAFE_METHODS
        return [needs(Scope.RECIPIENTS_READ if reads else Scope.RECIPIENTS_WRITE)()]


class RecipientDetail(ReadersAndWriters):
    """One person. Forgetting them is `notifications.api.privacy`'s: it concerns the log as well."""

    @extend_schema(operation_id="recipients_retrieve", responses=serializers.RecipientAnswer)
    def get(self, _request: Request, external_id: str) -> Response:
        """What is known of a person."""
        return Response(serializers.RecipientAnswer(person_of(external_id)).data)

    @extend_schema(
        operation_id="recipients_put",
        request=serializers.RecipientRequest,
        responses={200: serializers.RecipientAnswer, 201: serializers.RecipientAnswer},
    )
    def put(self, request: Request, external_id: str) -> Response:
        """Create a person, or replace all that is known of them. Devices, preferences and unnamed quiet hours stay."""
        try:
            normal_external_id(external_id)
        except Invalid as error:
            raise ValidationError({"external_id": str(error)}) from None
        asked = _valid(serializers.RecipientRequest(data=request.data))
        person, is_new = recipients.put(external_id, asked.profile(), timezone.now())
        return Response(serializers.RecipientAnswer(person).data, status=201 if is_new else 200)

    @extend_schema(
        operation_id="recipients_patch",
        request=serializers.RecipientRequest,
        responses=serializers.RecipientAnswer,
    )
    def patch(self, request: Request, external_id: str) -> Response:
        """Change what is named of a person. Attributes are merged; one set to null is removed."""
        asked = _valid(serializers.RecipientRequest(data=request.data))
        with transaction.atomic():
            person = person_of(external_id, for_update=True)
            try:
                recipients.change(person, asked.validated_data, timezone.now())
            except Invalid as error:
                raise ValidationError({error.field: str(error)}) from None
        return Response(serializers.RecipientAnswer(person).data)


class RecipientDevices(ReadersAndWriters):
    """The push tokens of one person."""

    @extend_schema(operation_id="devices_list", responses=serializers.DeviceAnswer(many=True))
    def get(self, _request: Request, external_id: str) -> Response:
        """The devices of a person that can be reached."""
        return Response(serializers.DeviceAnswer(serializers.live_devices(person_of(external_id)), many=True).data)

    @extend_schema(
        operation_id="devices_register",
        request=serializers.DeviceRequest,
        responses={200: serializers.DeviceAnswer, 201: serializers.DeviceAnswer},
    )
    def post(self, request: Request, external_id: str) -> Response:
        """Register a push token. For apps, at every start. A token that somebody else has moves to this person."""
        asked = _valid(serializers.DeviceRequest(data=request.data))
        person, reported, at = person_of(external_id), asked.registration(), timezone.now()
        if before := asked.validated_data["replaces"]:
            device, is_new = devices.renew(person, before, reported, at)
        else:
            device, is_new = devices.register(person, reported, at)
        return Response(serializers.DeviceAnswer(device).data, status=201 if is_new else 200)

    @extend_schema(
        operation_id="devices_replace",
        request=serializers.DevicesRequest,
        responses=serializers.DeviceAnswer(many=True),
    )
    def put(self, request: Request, external_id: str) -> Response:
        """Replace all devices of a person. These and no others."""
        asked = _valid(serializers.DevicesRequest(data=request.data))
        person, at = person_of(external_id), timezone.now()
        with transaction.atomic():
            kept = {devices.register(person, one, at)[0].id for one in asked.validated_data["devices"]}
            others = serializers.live_devices(person).exclude(pk__in=kept).values_list("id", flat=True)
            devices.retire_many([(device_id, None, "replaced by the API") for device_id in others], at)
        return Response(serializers.DeviceAnswer(serializers.live_devices(person), many=True).data)


class RecipientDevice(ReadersAndWriters):
    """One push token of one person."""

    @extend_schema(operation_id="devices_retire", responses={204: None})
    def delete(self, _request: Request, external_id: str, device_id: UUID) -> Response:
        """Retire a device. For apps, when somebody signs out: nothing is sent there any more."""
        device = Device.objects.live().filter(recipient=person_of(external_id), pk=device_id).first()
        if device is None:
            raise Http404
        devices.retire(device, timezone.now(), "removed by the API")
        return Response(status=204)


class RecipientPreferences(ReadersAndWriters):
    """The choices of one person."""

    @extend_schema(operation_id="preferences_list", responses=serializers.PreferenceAnswer(many=True))
    def get(self, _request: Request, external_id: str) -> Response:
        """The choices of a person. Where they said nothing, the category's default applies."""
        return _choices(person_of(external_id))

    @extend_schema(
        operation_id="preferences_replace",
        request=serializers.PreferencesRequest,
        responses=serializers.PreferenceAnswer(many=True),
    )
    def put(self, request: Request, external_id: str) -> Response:
        """Replace all choices of a person. These and no others."""
        wanted = _valid(serializers.PreferencesRequest(data=request.data)).validated_data
        person = person_of(external_id)
        consent.replace(person, wanted["preferences"], timezone.now(), _witness(request, wanted["source"]))
        return _choices(person)

    @extend_schema(
        operation_id="preferences_change",
        request=serializers.PreferencesRequest,
        responses=serializers.PreferenceAnswer(many=True),
    )
    def patch(self, request: Request, external_id: str) -> Response:
        """Change some choices of a person. The others stay."""
        wanted = _valid(serializers.PreferencesRequest(data=request.data)).validated_data
        person = person_of(external_id)
        consent.choose(person, wanted["preferences"], timezone.now(), _witness(request, wanted["source"]))
        return _choices(person)

    @extend_schema(operation_id="preferences_forget", responses={204: None})
    def delete(self, request: Request, external_id: str) -> Response:
        """Forget the choices of a person. From now on only the categories' defaults apply."""
        consent.forget_choices(person_of(external_id), timezone.now(), _witness(request))
        return Response(status=204)


def person_of(external_id: str, *, for_update: bool = False) -> Recipient:
    """Whom a path names. Raises `Http404`."""
    if "\0" in external_id:
        raise Http404
    people: QuerySet[Recipient] = Recipient.objects.known_as([external_id])
    person = (people.select_for_update() if for_update else people).first()
    if person is None:
        raise Http404
    return person


def _witness(request: Request, source: str = "") -> Witness:
    """The application that tells what a person wants, and where it says the person said so."""
    caller: object = request.user
    assert isinstance(caller, Caller)
    return Witness(Actor.APPLICATION, Via.API, caller.application_name, source)


def _choices(person: Recipient) -> Response:
    found = Preference.objects.filter(recipient=person).select_related("category").order_by("id")
    return Response(serializers.PreferenceAnswer(found, many=True).data)


def _valid(serializer: Asked) -> Asked:
    serializer.is_valid(raise_exception=True)
    return serializer
