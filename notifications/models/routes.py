"""By which accounts messages go: what operators write down, in place of the accounts' ranks."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.channels import Channel, Mode
from accounts.ids import new_id
from notifications.models.kinds import choices, one_of
from notifications.models.provider_accounts import ProviderAccount
from notifications.vocabulary import CHANNEL_OF, Queue

#: The queues that tell apart what one channel reaches.
PUSH_QUEUES = tuple(queue for queue in Queue if CHANNEL_OF[queue] is Channel.PUSH)


class Route(models.Model):
    """Which accounts send a channel's messages; perhaps only those for one platform, or for numbers that begin alike.

    The longest prefix that fits wins, then the platform, then the route for all of the channel. Where none is written,
    all accounts of the channel serve, in the order of their ranks.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    mode = models.CharField(max_length=4, choices=choices(Mode), default=Mode.LIVE.value)
    channel = models.CharField(max_length=5, choices=choices(Channel))
    queue = models.CharField(
        "platform",
        max_length=8,
        choices={queue.value: queue.name.capitalize() for queue in PUSH_QUEUES},
        blank=True,
        default="",
        help_text="For push: these devices only. Empty for all.",
    )
    prefix = models.CharField(
        "numbers that begin with",
        max_length=16,
        blank=True,
        default="",
        help_text="For text messages: a country as +82, or more digits. Empty for all other numbers.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="route_once",
                fields=["mode", "channel", "queue", "prefix"],
                violation_error_message="There is a route for exactly this already; change that one.",
            ),
            models.CheckConstraint(name="route_mode_known", condition=one_of("mode", Mode)),
            models.CheckConstraint(name="route_channel_known", condition=one_of("channel", Channel)),
            models.CheckConstraint(
                name="route_platform_of_push",
                condition=Q(queue="") | Q(channel=Channel.PUSH.value, queue__in=[queue.value for queue in PUSH_QUEUES]),
                violation_error_message="Only push has platforms; leave that empty.",
            ),
            models.CheckConstraint(
                name="route_prefix_of_sms",
                condition=Q(prefix="") | Q(channel=Channel.SMS.value, prefix__regex=r"^\+[1-9][0-9]{0,14}$"),
                violation_error_message="Only text messages have numbers, which begin with a plus sign and a country.",
            ),
        ]

    def __str__(self) -> str:
        whom = self.queue or (f"to {self.prefix}…" if self.prefix else "")
        return " ".join(word for word in (self.mode, self.channel, whom) if word)


class RouteStep(models.Model):
    """An account on a route. The lowest position sends; those of the same position share by their weights."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="steps")
    # an account that vanished from its routes would let others send in its place without anybody having decided it
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1)], help_text="1 sends; 2 takes over where no account of 1 can."
    )
    weight = models.PositiveSmallIntegerField(
        default=100, help_text="Its share among those of its position; 0 for nothing at all."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="route_step_once",
                fields=["route", "account"],
                violation_error_message="An account stands on a route once.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} on {self.route}"
