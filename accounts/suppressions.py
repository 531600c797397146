"""Addresses that nobody may send to: suppressed, lifted, and what people answer by text message. Each is in the log."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet

from accounts import consent_log
from accounts.channels import Channel
from accounts.consent_log import Change, Witness
from accounts.ids import new_ids
from accounts.models import Actor, Aspect, ReceivedReply, Suppression, Via
from accounts.models import SuppressionCause as Cause
from accounts.replies import Reply, Wish
from accounts.traces import owned

__all__ = [
    "Actor", "Cause", "Via", "Witness", "forget_replies", "heed", "lift", "lift_these", "suppress", "suppress_many",
]  # fmt: skip

#: An address, why nobody may send to it, and who says so.
Unwanted = tuple[Channel, str, Cause, Witness]

#: Addresses that are not suppressed for a cause yet; says which. In one order, so that two who suppress the same
#: addresses at once wait for each other and not in a circle.
_SUPPRESS = """
    INSERT INTO accounts_suppression (id, channel, address, cause, detail, created_at)
    SELECT id, channel, address, cause, detail, %(at)s
      FROM unnest(%(ids)s::uuid[], %(channels)s::text[], %(addresses)s::text[], %(causes)s::text[], %(details)s::text[])
           AS found (id, channel, address, cause, detail)
     ORDER BY channel, address, cause
        ON CONFLICT (address, channel, cause) DO NOTHING
    RETURNING channel, address, cause
"""


def suppress(channel: Channel, address: str, cause: Cause, at: datetime, by: Witness) -> None:
    """Nobody sends to `address` on `channel` any more. The first detail stands; repeating it does no harm."""
    suppress_many([(channel, address, cause, by)], at)


def suppress_many(found: Iterable[Unwanted], at: datetime) -> None:
    """Suppress addresses, each with the cause and who said so, in one statement; and log those that were not."""
    given = {(channel.value, address, cause.value): by for channel, address, cause, by in found}
    if not given:
        return
    longest = Suppression._meta.get_field("detail").max_length
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                _SUPPRESS,
                {
                    "at": at,
                    "ids": new_ids(len(given)),
                    "channels": [channel for channel, _, _ in given],
                    "addresses": [address for _, address, _ in given],
                    "causes": [cause for _, _, cause in given],
                    "details": [by.detail[:longest] for by in given.values()],
                },
            )
            new = cursor.fetchall()
        for channel, address, cause in new:
            change = Change(Aspect.SUPPRESSION, "", f"suppressed: {cause}", address=address, channel=channel)
            consent_log.append([change], at, given[channel, address, cause])


def lift(channel: Channel, address: str, at: datetime, by: Witness) -> bool:
    """The address may be sent to again, whatever it was suppressed for; False when it was not suppressed."""
    return bool(lift_these(Suppression.objects.standing([address]).filter(channel=channel.value), at, by, [address]))


def lift_these(meant: QuerySet[Suppression], at: datetime, by: Witness, addresses: Sequence[str] = ()) -> int:
    """These suppressions end; says how many there were. `addresses` are those meant, as far as they are known."""
    with transaction.atomic():
        found: Sequence[Suppression] = list(meant.select_for_update().order_by("address", "id"))
        Suppression.objects.filter(pk__in=[one.pk for one in found]).delete()
        whose = owned([one.address for one in found], addresses)
        consent_log.append(
            [
                Change(
                    Aspect.SUPPRESSION, f"suppressed: {one.cause}", "", address=whose[one.address], channel=one.channel
                )
                for one in found
            ],
            at,
            by,
        )
    return len(found)


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
        by = Witness(Actor.RECIPIENT, Via.SMS_KEYWORD, account, f"answered {last.keyword}")
        if last.wish == Wish.STOP:
            suppress(Channel.SMS, reply.phone, Cause.STOP, last.said_at, by)
        else:
            phones = [reply.phone]
            stopped = Suppression.objects.standing(phones).filter(channel=Channel.SMS.value, cause=Cause.STOP.value)
            lift_these(stopped.filter(created_at__lte=last.said_at), last.said_at, by, phones)
    return True


def forget_replies(before: datetime) -> int:
    """Forget the replies of long ago; what they led to stays. Says how many."""
    forgotten, _ = ReceivedReply.objects.filter(said_at__lt=before).delete()
    return forgotten
