"""What people did with messages, and which they got, as conditions of SQL.

Reactions are in the tables of tracking, which this package knows by name alone: the two apps do not import each other.

"Got" is: something of a campaign was planned for the person, within so many days where that is asked, and a provider
took it. It is read from the log, which is kept for RETENTION_DAYS.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from accounts.ids import array_of, floor_of, instant_of
from campaigns.segments.naming import Names
from campaigns.segments.places import Places
from campaigns.segments.rules import Deed, Did

#: How far the clocks of those who accept and those who plan may be apart.
_ASKEW: Final = timedelta(hours=1)


def did(rule: Did, names: Names, places: Places, at: datetime) -> str:
    """The condition for those who did it at a moment."""
    since = at - timedelta(days=rule.days) if rule.days else None
    match rule.deed:
        case Deed.GOT:
            return _got(rule, names, places, since)
        case Deed.CONVERTED if rule.campaign is None:
            return _converted(places, since)
        case Deed.OPENED:
            return _reacted("opened_at", rule, names, places, since)
        case Deed.CLICKED:
            return _reacted("last_clicked_at", rule, names, places, since)
        case Deed.CONVERTED:
            return _reacted("converted_at", rule, names, places, since)


def _reacted(column: str, rule: Did, names: Names, places: Places, since: datetime | None) -> str:
    """With a campaign: by engagement_part. With any: by engagement_recipient, or all of the table at once."""
    asked = f"engagement.{column} >= {places.put(since)}" if since else f"engagement.{column} IS NOT NULL"
    if rule.campaign:
        asked += f" AND engagement.part_of = ANY({_ids(places, names.campaigns[rule.campaign].parts)})"
    return f"""EXISTS (
        SELECT FROM tracking_engagement AS engagement
         WHERE engagement.recipient_id = recipient.id AND {asked})"""


def _converted(places: Places, since: datetime | None) -> str:
    """Whatever it is put down to. By conversion_recipient."""
    asked = f" AND conversion.at >= {places.put(since)}" if since else ""
    return f"""EXISTS (
        SELECT FROM tracking_conversion AS conversion
         WHERE conversion.recipient_id = recipient.id{asked})"""


def _got(rule: Did, names: Names, places: Places, since: datetime | None) -> str:
    """By delivery_notification or delivery_recipient, in the partitions of the days that are asked for alone."""
    if rule.campaign:
        notifications = names.campaigns[rule.campaign].notifications
        asked = f"delivery.notification_id = ANY({_ids(places, notifications)})"
        first = min(map(instant_of, notifications), default=None)
    else:
        asked, first = "delivery.notification_id IN (SELECT arm.notification_id FROM campaigns_arm AS arm)", None
    if bounds := [bound for bound in (since, first and first - _ASKEW) if bound]:
        asked += f" AND delivery.id >= {places.put(floor_of(max(bounds)))}"
    return f"""EXISTS (
        SELECT FROM notifications_delivery AS delivery
         WHERE delivery.recipient_id = recipient.id AND delivery.sent_at IS NOT NULL AND {asked})"""


def _ids(places: Places, ids: Iterable[UUID]) -> str:
    return f"{places.put(array_of(ids))}::uuid[]"
