"""Recipients, devices and preferences as JSON."""

from collections.abc import Callable, Mapping
from datetime import time
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.channels import Channel, Platform, PushService
from accounts.consent import Choice
from accounts.devices import Registration, registration
from accounts.models import Category, Device, Preference, Recipient
from accounts.recipients import (
    Invalid,
    Profile,
    normal_attributes,
    normal_country,
    normal_email,
    normal_locale,
    normal_phone,
    normal_quiet_hours,
    normal_time_zone,
)
from accounts.strict import Strict

MAX_DEVICES: Final = 50
MAX_CHOICES: Final = 500


class Normal(serializers.CharField):
    """A text that is kept in its normal form; empty means unknown."""

    def __init__(self, normal: Callable[[str], str], **options: Any) -> None:
        super().__init__(required=False, allow_blank=True, **options)
        self._normal = normal

    def to_internal_value(self, data: Any) -> str:
        """The normal form. Says what would be accepted where there is none."""
        text: str = super().to_internal_value(data)
        try:
            return self._normal(text) if text else ""
        except Invalid as error:
            raise serializers.ValidationError(str(error)) from None


@extend_schema_field(
    {
        "type": "object",
        "nullable": True,
        "properties": {"from": {"type": "string"}, "until": {"type": "string"}},
        "required": ["from", "until"],
        "additionalProperties": False,
        "description": "When nothing but critical messages may come, by the person's clock: 22:00 until 07:00.",
    }
)
class QuietHoursField(serializers.Field[tuple[time, time], Any, Any, Any]):
    """Hours in which a person wants to be left alone."""

    def to_internal_value(self, data: Any) -> tuple[time, time]:
        """Both ends. Says what would be accepted where they are not."""
        match data:
            case {"from": str(start), "until": str(end), **rest} if not rest:
                try:
                    return normal_quiet_hours(start, end)
                except Invalid as error:
                    raise serializers.ValidationError(str(error)) from None
            case _:
                raise serializers.ValidationError('Write {"from": "22:00", "until": "07:00"}, or null for none.')

    def to_representation(self, value: Any) -> Any:
        """As it is written."""
        return {"from": f"{value[0]:%H:%M}", "until": f"{value[1]:%H:%M}"}


class RecipientRequest(Strict):
    """What is known of a person."""

    email = Normal(normal_email, help_text="Kept in lower case.")
    phone = Normal(normal_phone, help_text="E.164, for example +821012345678.")
    locale = Normal(normal_locale, help_text="BCP 47, for example ko-KR.")
    country = Normal(normal_country, help_text="ISO 3166-1, for example KR.")
    time_zone = Normal(normal_time_zone, help_text="IANA, for example Asia/Seoul.")
    quiet_hours = QuietHoursField(required=False, allow_null=True)
    attributes = serializers.DictField(required=False, help_text="What templates may say about the person.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The two ends of quiet hours are two columns; null means none."""
        if "quiet_hours" in attrs:
            attrs["quiet_from"], attrs["quiet_until"] = attrs.pop("quiet_hours") or (None, None)
        return attrs

    def validate_attributes(self, value: dict[str, Any]) -> dict[str, Any]:
        """Names that a template can write."""
        try:
            return normal_attributes(value)
        except Invalid as error:
            raise serializers.ValidationError(str(error)) from None

    def profile(self) -> Profile:
        """The whole person as a value."""
        return Profile(**self.validated_data, names_quiet_hours="quiet_from" in self.validated_data)


class DeviceAnswer(serializers.ModelSerializer[Device]):
    """A registered push token, without the token."""

    class Meta:
        model = Device
        fields = ("id", "platform", "service", "app_version", "registered_at", "seen_at")
        read_only_fields = fields


class RecipientAnswer(serializers.ModelSerializer[Recipient]):
    """A person and their devices."""

    devices = serializers.SerializerMethodField()
    quiet_hours = serializers.SerializerMethodField()

    class Meta:
        model = Recipient
        fields = (
            "external_id", "email", "phone", "locale", "country", "time_zone", "quiet_hours", "attributes",
            "created_at", "updated_at", "devices",
        )  # fmt: skip
        read_only_fields = fields

    def get_quiet_hours(self, recipient: Recipient) -> dict[str, str] | None:
        """The person's own; null for none."""
        if recipient.quiet_from is None or recipient.quiet_until is None:
            return None
        return {"from": f"{recipient.quiet_from:%H:%M}", "until": f"{recipient.quiet_until:%H:%M}"}

    def get_devices(self, recipient: Recipient) -> list[dict[str, Any]]:
        """Those that can be reached."""
        return list(DeviceAnswer(live_devices(recipient), many=True).data)


class DeviceRequest(Strict):
    """A push token, as an app reports it."""

    platform = serializers.ChoiceField(choices=[platform.value for platform in Platform])
    token = serializers.CharField(
        max_length=4096, help_text="As the app's push service gave it; of a browser, JSON.stringify(subscription)."
    )
    service = serializers.ChoiceField(
        choices=[service.value for service in PushService],
        required=False,
        help_text="Who issued the token; left out: the platform's usual service.",
    )
    app_version = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    replaces = serializers.CharField(
        max_length=4096,
        required=False,
        allow_blank=True,
        default="",
        help_text="The token that the push service has exchanged for this one, where an app is told so.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The token must look like one of its service."""
        try:
            attrs["registration"] = registration(
                attrs["platform"],
                attrs["token"],
                service=attrs.get("service", ""),
                app_version=attrs["app_version"],
            )
        except Invalid as error:
            raise serializers.ValidationError({error.field: str(error)}) from None
        attrs["replaces"] = self._replaced(attrs)
        return attrs

    def _replaced(self, attrs: dict[str, Any]) -> str:
        """The token before, in its normal form."""
        if not attrs["replaces"]:
            return ""
        try:
            before = registration(attrs["platform"], attrs["replaces"], service=attrs.get("service", ""))
        except Invalid as error:
            field = "replaces" if error.field == "token" else error.field
            raise serializers.ValidationError({field: str(error)}) from None
        return before.token

    def registration(self) -> Registration:
        """The validated token as a value."""
        found: Registration = self.validated_data["registration"]
        return found


class DevicesRequest(Strict):
    """All push tokens of a person."""

    devices = serializers.ListField(child=serializers.DictField(), max_length=MAX_DEVICES)

    def validate_devices(self, value: list[Mapping[str, Any]]) -> list[Registration]:
        """Each as for a single registration; an error names its place."""
        each = [DeviceRequest(data=entry) for entry in value]
        errors = [{} if one.is_valid() else one.errors for one in each]
        if any(errors):
            raise serializers.ValidationError(errors)
        return [one.registration() for one in each]


class PreferenceAnswer(serializers.ModelSerializer[Preference]):
    """One choice. `category` and `channel` are null where it speaks for all of them."""

    category = serializers.SlugRelatedField[Category](slug_field="slug", read_only=True, allow_null=True)
    channel = serializers.SerializerMethodField()

    class Meta:
        model = Preference
        fields = ("category", "channel", "allowed", "changed_at", "source")
        read_only_fields = fields

    def get_channel(self, preference: Preference) -> str | None:
        """The channel; null for every one."""
        return preference.channel or None


class ChoiceRequest(Strict):
    """What a person wants for a category and channel; null, or left out, speaks for all of them."""

    category = serializers.CharField(required=False, allow_null=True, default=None, help_text="A category's slug.")
    channel = serializers.ChoiceField(
        choices=[channel.value for channel in Channel], required=False, allow_null=True, default=None
    )
    allowed = serializers.BooleanField()


class PreferencesRequest(Strict):
    """A person's choices."""

    preferences = ChoiceRequest(many=True)
    source = serializers.CharField(  # type: ignore[assignment] # a field called source, not an option of fields
        max_length=100, required=False, allow_blank=True, default="api", help_text="Where the person said so."
    )

    def validate_preferences(self, value: list[Mapping[str, Any]]) -> list[Choice]:
        """The categories must exist, and nothing may be said twice."""
        if len(value) > MAX_CHOICES:
            raise serializers.ValidationError(f"At most {MAX_CHOICES} preferences in one request.")
        slugs = {entry["category"] for entry in value if entry["category"] is not None}
        known = {category.slug: category for category in Category.objects.filter(slug__in=slugs)}
        seen: set[tuple[str | None, str | None]] = set()
        errors: list[dict[str, list[str]]] = [{} for _ in value]
        for position, entry in enumerate(value):
            if entry["category"] is not None and entry["category"] not in known:
                errors[position] = {"category": ["There is no category of this name."]}
            elif (entry["category"], entry["channel"]) in seen:
                errors[position] = {"category": ["This category and channel are named twice."]}
            seen.add((entry["category"], entry["channel"]))
        if any(errors):
            raise serializers.ValidationError(errors)
        return [
            Choice(
                entry["allowed"],
                known[entry["category"]] if entry["category"] is not None else None,
                Channel(entry["channel"]) if entry["channel"] else None,
            )
            for entry in value
        ]


def live_devices(recipient: Recipient) -> Any:
    """The devices of a person that can be reached, oldest first."""
    return Device.objects.live().filter(recipient=recipient).order_by("id")
