"""What was agreed: categories, choices, and addresses that nobody may send to."""

from collections.abc import Iterable
from enum import StrEnum

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.channels import Channel
from accounts.ids import new_id
from accounts.models.kinds import any_of, choices, one_of
from accounts.models.people import Recipient
from accounts.policies import LONGEST_DIGEST_MINUTES, Reach, Routing, WhenCapped
from accounts.traces import with_traces


class Consent(StrEnum):
    """What silence means in a category."""

    OPT_OUT = "opt_out"  # may be sent until the person says no
    OPT_IN = "opt_in"  # may be sent only after the person said yes


class Category(models.Model):
    """What a message is about: carries the defaults for consent and, later, for everything a rule needs."""

    #: What may become of a delivery of which nobody knows whether it left.
    IN_DOUBT = {"resend": "Send again (at least once)", "hold": "Hold (at most once)"}

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=100)
    consent = models.CharField(max_length=8, choices=choices(Consent), default=Consent.OPT_OUT.value)
    is_critical = models.BooleanField(
        default=False,
        help_text="Security and legal messages: preferences do not stop them, suppressions still do.",
    )
    in_doubt = models.CharField(
        max_length=8,
        choices=IN_DOUBT,
        default="resend",
        help_text="What to do with a delivery of which nobody knows whether it left.",
    )
    # --- quiet hours: planning/rules/quiet_hours.py
    quiet_from = models.TimeField(
        null=True,
        blank=True,
        help_text="From this hour, by the recipient's clock, its messages wait, as 21:00.",
    )
    quiet_until = models.TimeField(null=True, blank=True, help_text="Until this hour, which may be the next morning's.")
    quiet_spread = models.PositiveSmallIntegerField(
        default=15, db_default=15, help_text="Minutes over which what waited goes out, so that not all goes at once."
    )
    label = models.CharField(
        max_length=20,
        blank=True,
        default="",
        db_default="",
        help_text="Stands before every title, subject and text message; Korean law asks for (광고) before advertising.",
    )
    # --- routing: planning/rules/channels.py
    routing = models.CharField(
        max_length=8, choices=choices(Routing), default=Routing.ALL.value, db_default=Routing.ALL.value
    )
    routing_order = ArrayField(
        models.CharField(max_length=5, choices=choices(Channel)),
        default=list,
        blank=True,
        db_default=[],
        help_text="The channels in order, where it matters; empty for push, sms, email.",
    )
    seen_within_days = models.PositiveSmallIntegerField(
        default=30,
        db_default=30,
        help_text="A push counts as cheapest where a device was seen within so many days.",
    )
    escalate_after = models.PositiveSmallIntegerField(
        default=10,
        db_default=10,
        help_text="Minutes after which the next channel is tried, where nothing was heard of the one before.",
    )
    reach = models.CharField(
        "devices", max_length=6, choices=choices(Reach), default=Reach.ALL.value, db_default=Reach.ALL.value
    )
    # --- digests: planning/rules/digest.py
    digest_minutes = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="Messages with one digest key are gathered for so many minutes and sent as one; empty for never.",
    )
    # --- review: templates_app/reviewing.py
    needs_approval = models.BooleanField(
        default=False,
        db_default=False,
        help_text="What its templates say is published only after somebody who did not write it has approved it.",
    )
    # --- what is learned of its messages: tracking/
    track_opens = models.BooleanField(
        default=True, db_default=True, help_text="Emails carry an invisible picture that tells when they are opened."
    )
    track_clicks = models.BooleanField(
        default=True, db_default=True, help_text="Links in emails lead through here, so that clicks are counted."
    )
    track_texts = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Links in text messages as well; they become longer, and the message may have more parts.",
    )
    attribution_days = models.PositiveSmallIntegerField(
        default=7, db_default=7, help_text="Days after a click in which what the person does counts as its success."
    )
    # --- caps: planning/rules/caps.py
    when_capped = models.CharField(
        max_length=4, choices=choices(WhenCapped), default=WhenCapped.DROP.value, db_default=WhenCapped.DROP.value
    )

    class Meta:
        verbose_name_plural = "categories"
        constraints = [
            models.CheckConstraint(
                name="category_quiet_hours_whole",
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | (Q(quiet_from__isnull=False, quiet_until__isnull=False) & ~Q(quiet_from=models.F("quiet_until"))),
                violation_error_message="Quiet hours have a beginning and an end, which differ.",
            ),
            models.CheckConstraint(name="category_routing_known", condition=one_of("routing", Routing)),
            models.CheckConstraint(
                name="category_routing_order_known",
                condition=Q(routing_order__contained_by=[channel.value for channel in Channel]),
            ),
            models.CheckConstraint(name="category_reach_known", condition=one_of("reach", Reach)),
            models.CheckConstraint(name="category_when_capped_known", condition=one_of("when_capped", WhenCapped)),
            models.CheckConstraint(
                name="category_digest_sane",
                condition=Q(digest_minutes__isnull=True)
                | Q(digest_minutes__gte=1, digest_minutes__lte=LONGEST_DIGEST_MINUTES),
                violation_error_message="A digest gathers for a minute at least, and a week at most.",
            ),
            models.CheckConstraint(
                name="category_attribution_sane",
                condition=Q(attribution_days__gte=1, attribution_days__lte=90),
                violation_error_message="Count what happens within 1 to 90 days of a click.",
            ),
            models.CheckConstraint(name="category_consent_known", condition=one_of("consent", Consent)),
            models.CheckConstraint(name="category_in_doubt_known", condition=Q(in_doubt__in=["resend", "hold"])),
        ]

    def __str__(self) -> str:
        return self.name


class Cap(models.Model):
    """At most so many messages to one person in a rolling window: of a category or of all, on a channel or on all.

    Every cap that fits a message holds; what the category says of it (`when_capped`) decides what becomes of more.
    Critical categories are counted and never held up.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    category = models.ForeignKey(
        Category,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="caps",
        help_text="Empty: messages of every category together.",
    )
    channel = models.CharField(
        max_length=5, choices=choices(Channel), blank=True, default="", help_text="Empty: all channels together."
    )
    most = models.PositiveSmallIntegerField(help_text="So many messages,")
    hours = models.PositiveSmallIntegerField(help_text="in any span of so many hours.")

    class Meta:
        constraints = [
            models.CheckConstraint(name="cap_channel_known", condition=Q(channel="") | one_of("channel", Channel)),
            models.CheckConstraint(
                name="cap_window_sane",
                condition=Q(most__gte=1, hours__gte=1, hours__lte=24 * 31),
                violation_error_message="Allow one message at least, in 1 to 744 hours.",
            ),
            models.UniqueConstraint(
                name="cap_once",
                fields=["category", "channel", "hours"],
                nulls_distinct=False,
                violation_error_message="There is a cap for this category, channel and window; change that one.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.most} in {self.hours} h"


class Preference(models.Model):
    """One recipient's choice for a category and channel; where one of them is empty it speaks for all.

    The most specific choice wins: category and channel, category, channel, everything.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="preferences")
    category = models.ForeignKey(Category, on_delete=models.CASCADE, null=True, blank=True)
    channel = models.CharField(max_length=5, choices=choices(Channel), blank=True, default="")
    allowed = models.BooleanField()
    changed_at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=100, blank=True, default="", help_text="Where the person said so.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="preference_channel_known", condition=Q(channel="") | one_of("channel", Channel)
            ),
            models.UniqueConstraint(
                name="preference_one_choice",
                fields=["recipient", "category", "channel"],
                nulls_distinct=False,
                violation_error_message="There is a choice for this category and channel already; change that one.",
            ),
        ]

    def __str__(self) -> str:
        verb = "allows" if self.allowed else "refuses"
        return f"{self.recipient_id} {verb} {self.category_id or 'every category'} by {self.channel or 'every channel'}"


class SuppressionCause(StrEnum):
    """Why an address may not be sent to."""

    HARD_BOUNCE = "hard_bounce"
    SOFT_BOUNCE = "soft_bounce"  # so many in a row: SOFT_BOUNCES
    COMPLAINT = "complaint"
    STOP = "stop"
    MANUAL = "manual"


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    """Which addresses are meant."""

    def standing(self, addresses: Iterable[str]) -> "SuppressionQuerySet":
        """Those of these addresses that nobody may send to, also where all that is left of one is its trace."""
        return self.filter(any_of("address", with_traces(addresses)))


class Suppression(models.Model):
    """An address nobody may send to. A dead push token is a retired `Device` instead: it has an owner and a revival."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    channel = models.CharField(max_length=5, choices={"sms": "SMS", "email": "Email"})
    address = models.CharField(max_length=254)
    cause = models.CharField(max_length=12, choices=choices(SuppressionCause))
    detail = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="suppression_channel_known", condition=Q(channel__in=["sms", "email"])),
            models.CheckConstraint(name="suppression_cause_known", condition=one_of("cause", SuppressionCause)),
            # one row a cause: who takes back a STOP has not taken back a bounce
            models.UniqueConstraint(
                name="suppression_once_a_cause",
                fields=["address", "channel", "cause"],
                violation_error_message="This address is suppressed for this cause already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} suppression ({self.cause})"
