"""Every change of consent: a person's choices, and addresses that nobody may send to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from accounts.channels import Channel
from accounts.models import Category, Preference, ReceivedReply, Recipient, Suppression
from accounts.models import SuppressionCause as Cause
from accounts.replies import Reply, Wish

__all__ = [
    "Cause", "Choice", "choose", "forget_choices", "forget_replies", "heed", "lift", "suppress", "suppress_many",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person wants; None speaks for every category, or every channel."""

    allowed: bool
    category: Category | None = None
    channel: Channel | None = None


def choose(recipient: Recipient, choices: Sequence[Choice], at: datetime, *, source: str) -> None:
    """Note what a person wants, from `source`; a choice made before for the same category and channel is replaced."""
    with transaction.atomic():
        for choice in choices:
            Preference.objects.update_or_create(
                recipient=recipient,
                category=choice.category,
                channel=choice.channel or "",
                defaults={"allowed": choice.allowed, "changed_at": at, "source": source},
            )


def forget_choices(recipient: Recipient) -> int:
    """From now on only the categories' defaults apply; says how many choices there were."""
    forgotten, _ = Preference.objects.filter(recipient=recipient).delete()
    return forgotten


def suppress(channel: Channel, address: str, cause: Cause, at: datetime, *, detail: str = "") -> None:
    """Nobody sends to `address` on `channel` any more. The first detail stands; repeating it does no harm."""
    suppress_many([(channel, address, cause, detail)], at)


def suppress_many(found: Iterable[tuple[Channel, str, Cause, str]], at: datetime) -> None:
    """Suppress addresses, each with the cause and what was said about it, in one statement."""
    longest = Suppression._meta.get_field("detail").max_length
    # in one order, so that two who suppress the same addresses at once wait for each other and not in a circle
    rows = sorted({(channel, address, cause): detail for channel, address, cause, detail in found}.items())
    Suppression.objects.bulk_create(
        [
            Suppression(channel=channel, address=address, cause=cause, detail=detail[:longest], created_at=at)
            for (channel, address, cause), detail in rows
        ],
        ignore_conflicts=True,
    )


def lift(channel: Channel, address: str) -> bool:
    """The address may be sent to again, whatever it was suppressed for; False when it was not suppressed."""
    lifted, _ = Suppression.objects.standing([address]).filter(channel=channel).delete()
    return bool(lifted)


def heed(reply: Reply, account: str) -> bool:
    """Do what somebody asked for by text message; False when this very message was heeded before.

    1. One message of a number at a time: STOP and START may come in at the same moment.
    2. A message that was kept before changes nothing.
    3. The last word of the number decides, in whatever order its messages are told.
    4. STOP suppresses the number for text messages. START lifts that, and no other cause; nor does it lift a STOP that
       is younger than itself.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"reply {reply.phone}"])
        _, is_new = ReceivedReply.objects.get_or_create(
            account=account,
            ref=reply.ref,
            defaults={
                "phone": reply.phone,
                "wish": reply.wish.value,
                "keyword": reply.keyword,
                "said_at": reply.at,
            },
        )
        last = ReceivedReply.objects.last_word_of(reply.phone)
        if not is_new or last is None:
            return False
        if last.wish == Wish.STOP:
            suppress(Channel.SMS, reply.phone, Cause.STOP, last.said_at, detail=f"answered {last.keyword}")
        else:
            Suppression.objects.standing([reply.phone]).filter(
                channel=Channel.SMS, cause=Cause.STOP, created_at__lte=last.said_at
            ).delete()
    return True


def forget_replies(before: datetime) -> int:
    """Forget the replies of long ago; what they led to stays. Says how many."""
    forgotten, _ = ReceivedReply.objects.filter(said_at__lt=before).delete()
    return forgotten
