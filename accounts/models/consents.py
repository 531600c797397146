"""Proof of what was agreed, and what leads to it: the log of every change, refusals by address, bounces that count."""

from collections.abc import Iterable
from enum import StrEnum

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.channels import Channel
from accounts.ids import new_id
from accounts.models.agreements import Category
from accounts.models.kinds import any_of, choices, one_of
from accounts.models.people import Recipient
from accounts.traces import with_traces


class Aspect(StrEnum):
    """What a line of the consent log is about."""

    PREFERENCE = "preference"  # a choice for a category and channel, either of which may be all
    REFUSAL = "refusal"  # a category that the owner of an address does not want
    SUPPRESSION = "suppression"  # an address nobody may send to
    QUIET_HOURS = "quiet_hours"  # the person's own


class Actor(StrEnum):
    """Who changed it."""

    RECIPIENT = "recipient"
    APPLICATION = "application"
    ADMIN = "admin"
    PROVIDER = "provider"


class Via(StrEnum):
    """By which way the change came."""

    API = "api"
    ADMIN = "admin"
    PREFERENCE_CENTRE = "preference_centre"
    UNSUBSCRIBE_PAGE = "unsubscribe_page"
    ONE_CLICK = "one_click"  # a mail program's own button (RFC 8058)
    SMS_LINK = "sms_link"
    SMS_KEYWORD = "sms_keyword"
    ANSWER = "answer"  # a provider said so when it was to send
    RECEIPT = "receipt"  # a provider said so later


class ConsentChangeQuerySet(models.QuerySet["ConsentChange"]):
    """Whose consent."""

    def of(self, person: Recipient) -> "ConsentChangeQuerySet":
        """Every change of what one person agreed to, and of the addresses that are theirs now; the oldest first."""
        addresses = [address for address in (person.email, person.phone) if address]
        return self.filter(Q(recipient_id=person.pk) | Q(address__in=addresses)).order_by("id")


class ConsentChange(models.Model):
    """One change of what somebody agreed to: a line that is written once. The database refuses to change one.

    `before` and `after` are words such as allowed, refused, suppressed, or times; empty where nothing was said. A
    category stands here by its slug, and a person by an id without a constraint: the proof outlasts both.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField()
    aspect = models.CharField(max_length=11, choices=choices(Aspect))
    recipient = models.ForeignKey(
        Recipient, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, null=True, blank=True
    )
    address = models.CharField(max_length=254, blank=True, default="")
    category = models.CharField(max_length=60, blank=True, default="", help_text="Empty: every category.")
    channel = models.CharField(
        max_length=5, choices=choices(Channel), blank=True, default="", help_text="Empty: every channel."
    )
    before = models.CharField(max_length=40, blank=True, default="")
    after = models.CharField(max_length=40, blank=True, default="")
    actor = models.CharField("who", max_length=11, choices=choices(Actor))
    actor_name = models.CharField("name", max_length=150, blank=True, default="")
    via = models.CharField(max_length=17, choices=choices(Via))
    detail = models.CharField(max_length=200, blank=True, default="")

    objects = ConsentChangeQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "consent log"
        constraints = [
            models.CheckConstraint(name="consent_change_aspect_known", condition=one_of("aspect", Aspect)),
            models.CheckConstraint(name="consent_change_actor_known", condition=one_of("actor", Actor)),
            models.CheckConstraint(name="consent_change_via_known", condition=one_of("via", Via)),
            models.CheckConstraint(
                name="consent_change_is_somebodys", condition=Q(recipient__isnull=False) | ~Q(address="")
            ),
        ]
        indexes = [
            models.Index(
                fields=["recipient", "id"], name="consent_change_recipient", condition=Q(recipient__isnull=False)
            ),
            models.Index(fields=["address", "id"], name="consent_change_address", condition=~Q(address="")),
        ]

    def __str__(self) -> str:
        return f"{self.aspect} at {self.at:%Y-%m-%d %H:%M}"


class RefusalQuerySet(models.QuerySet["Refusal"]):
    """Which addresses are meant."""

    def standing(self, addresses: Iterable[str]) -> "RefusalQuerySet":
        """Those of these addresses that refuse something, also where all that is left of one is its trace."""
        return self.filter(any_of("address", with_traces(addresses)))


class Refusal(models.Model):
    """A category that the owner of an address does not want: said by a link in a message that went to the address.

    For contacts whom no product knows by an id, and so cannot have a `Preference`. It holds for everybody who has the
    address, until one of them allows the category.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    address = models.CharField(max_length=254)
    channel = models.CharField(max_length=5, choices={"sms": "SMS", "email": "Email"})
    category = models.ForeignKey(Category, on_delete=models.CASCADE)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = RefusalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="refusal_channel_known", condition=Q(channel__in=["sms", "email"])),
            models.UniqueConstraint(
                name="refusal_once",
                fields=["address", "channel", "category"],
                violation_error_message="This address refuses this category already.",
            ),
        ]

    def __str__(self) -> str:
        return f"refusal on {self.channel}"


class SoftBounce(models.Model):
    """When mail to an address came back, though the address may well be good: a full mailbox, or a filter.

    Kept until something is delivered, or so many came back that the address is suppressed.
    """

    address = models.CharField(primary_key=True, max_length=254)
    times = ArrayField(models.DateTimeField(), default=list)

    def __str__(self) -> str:
        return f"{len(self.times)} soft bounces"
