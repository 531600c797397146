"""What people said by text message, as it is kept."""

from django.db import models
from django.db.models import Q

from accounts.ids import new_id
from accounts.replies import Wish


class ReceivedReplyQuerySet(models.QuerySet["ReceivedReply"]):
    """Who said what."""

    def last_word_of(self, phone: str) -> "ReceivedReply | None":
        """The latest keyword from a number; of two at the same moment, STOP."""
        return self.filter(phone=phone).order_by("-said_at", "-wish").first()


class ReceivedReply(models.Model):
    """A keyword that somebody sent by text message: why an address is suppressed, or is no longer.

    Kept so that a call that a provider repeats, or makes late, changes nothing. Only the keyword of it is kept.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.CharField(max_length=60, help_text="The provider account that told.")
    ref = models.CharField(max_length=200, help_text="The provider's own id of the message.")
    phone = models.CharField(max_length=16)
    wish = models.CharField(max_length=5, choices={wish.value: wish.name.title() for wish in Wish})
    keyword = models.CharField(max_length=60)
    said_at = models.DateTimeField()

    objects = ReceivedReplyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "received replies"
        constraints = [
            models.CheckConstraint(
                name="received_reply_wish_known", condition=Q(wish__in=[wish.value for wish in Wish])
            ),
            models.UniqueConstraint(name="received_reply_once", fields=["account", "ref"]),
        ]
        indexes = [
            # the last word of a number decides
            models.Index(fields=["phone", "said_at"], name="received_reply_phone"),
            # old ones are forgotten
            models.Index(fields=["said_at"], name="received_reply_said"),
        ]

    def __str__(self) -> str:
        return f"{self.wish} at {self.said_at:%Y-%m-%d %H:%M}"
