"""What a request may say of the way its messages take: strict, because half of a wish is another wish."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from rest_framework import serializers

from accounts.channels import Channel
from accounts.policies import LONGEST_PATIENCE, Reach, Routing
from accounts.strict import Strict
from notifications.planning.values import Wish

#: Policies for which a field says something, where it does not for all.
_SERVES: Final = {
    "order": (Routing.FIRST, Routing.CHEAPEST, Routing.ESCALATE),
    "escalate_after": (Routing.ESCALATE,),
    "seen_within_days": (Routing.CHEAPEST,),
}


class RoutingRequest(Strict):
    """Which channels a message takes; what is left out is as the template and its category have it."""

    policy = serializers.ChoiceField(
        choices=[routing.value for routing in Routing],
        required=False,
        help_text="All channels; the first that reaches the person; the cheapest; or one after the other.",
    )
    order = serializers.ListField(
        child=serializers.ChoiceField(choices=[channel.value for channel in Channel]),
        required=False,
        allow_empty=False,
        help_text="The channels, the first choice first.",
    )
    escalate_after = serializers.IntegerField(
        min_value=0,
        max_value=LONGEST_PATIENCE,
        required=False,
        help_text="Minutes in which something is to be heard of each.",
    )
    seen_within_days = serializers.IntegerField(
        min_value=1, max_value=3650, required=False, help_text="A push is cheapest where a device was seen lately."
    )
    devices = serializers.ChoiceField(
        choices=[reach.value for reach in Reach], required=False, help_text="All of a person's, or the one seen last."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Nothing may be said that the policy has no use for."""
        order = attrs.get("order", [])
        if len(set(order)) < len(order):
            raise serializers.ValidationError({"order": "Each channel stands in the order once."})
        policy = attrs.get("policy")
        for name, policies in _SERVES.items():
            if policy and name in attrs and policy not in policies:
                others = ", ".join(policies)
                raise serializers.ValidationError(
                    {name: f"Says nothing where the policy is {policy}; only with {others}."}
                )
        if policy == Routing.ESCALATE and len(order) == 1:
            raise serializers.ValidationError({"order": "There is nothing to go on to after the only channel."})
        if not attrs:
            raise serializers.ValidationError("Say something of the way, or leave routing out.")
        return attrs


def wish(asked: dict[str, Any] | None) -> Wish | None:
    """The validated request as a value; None where nothing is wished."""
    if asked is None:
        return None
    after, days = asked.get("escalate_after"), asked.get("seen_within_days")
    return Wish(
        routing=Routing(asked["policy"]) if "policy" in asked else None,
        order=tuple(Channel(name) for name in asked["order"]) if "order" in asked else None,
        seen_within=timedelta(days=days) if days is not None else None,
        escalate_after=timedelta(minutes=after) if after is not None else None,
        reach=Reach(asked["devices"]) if "devices" in asked else None,
    )


def foreign_to(order: Sequence[str], channels: Sequence[str]) -> list[str]:
    """Channels of an order that the same request does not ask for."""
    return [name for name in order if channels and name not in channels]
