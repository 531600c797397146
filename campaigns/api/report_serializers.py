"""Reports as programs ask for them and read them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.core.validators import MaxValueValidator, MinValueValidator
from rest_framework import serializers

from accounts.strict import Strict
from campaigns.reports.reading import Span
from campaigns.reports.spans import FIRST_DAY, LAST_DAY, By

#: Days that are told where nobody says otherwise, and at most.
_USUAL, _LONGEST = timedelta(days=30), timedelta(days=366)
_A_DAY = (MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY))


# --- what is asked -----------------------------------------------------------------------------------
class ReportQuery(Strict):
    """Which run."""

    run = serializers.UUIDField(required=False, help_text="One run; without it, the latest ones together.")


class SpanQuery(Strict):
    """What each line is about, and which days."""

    by = serializers.ChoiceField(choices=[one.value for one in By], default=By.CAMPAIGN.value)
    since = serializers.DateField(
        required=False, validators=_A_DAY, help_text="The first day, in UTC; without it, thirty days are told."
    )
    until = serializers.DateField(required=False, validators=_A_DAY, help_text="The last day; without it, today.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Days in their order, and not too many of them."""
        today: date = self.context["today"]
        until = attrs.setdefault("until", today)
        since = attrs.setdefault("since", until - _USUAL + timedelta(days=1))
        if since > until:
            raise serializers.ValidationError({"since": f"This day comes after the last one, {until}."})
        if until - since > _LONGEST:
            raise serializers.ValidationError({"since": f"At most {_LONGEST.days} days can be told together."})
        return attrs

    def span(self) -> Span:
        """The days asked for, as UTC has them."""
        since, until = self.validated_data["since"], self.validated_data["until"]
        return Span(datetime.combine(since, time(), UTC), datetime.combine(until, time(), UTC) + timedelta(days=1))


# --- what is answered --------------------------------------------------------------------------------
class BecauseAnswer(serializers.Serializer[Any]):
    """So many messages came to nothing for one reason."""

    reason = serializers.CharField(allow_blank=True)
    explanation = serializers.CharField()
    count = serializers.IntegerField()


class OfSentAnswer(serializers.Serializer[Any]):
    """Parts of what was sent, from 0 to 1; null where nothing was. `delivered` is a part of what is told of: of the
    channels by which anything is known to have arrived.
    """

    delivered = serializers.FloatField(allow_null=True)
    opened = serializers.FloatField(allow_null=True)
    clicked = serializers.FloatField(allow_null=True)
    converted = serializers.FloatField(allow_null=True)
    unsubscribed = serializers.FloatField(allow_null=True)
    complained = serializers.FloatField(allow_null=True)


class FiguresAnswer(serializers.Serializer[Any]):
    """All that is counted. `planned` are all but the suppressed; `sent` have left and are not known to have failed."""

    planned = serializers.IntegerField()
    waiting = serializers.IntegerField()
    sent = serializers.IntegerField()
    delivered = serializers.IntegerField(allow_null=True, help_text="Null where nobody tells what arrived.")
    failed = serializers.IntegerField(help_text="With those that were too late or withdrawn.")
    suppressed = serializers.IntegerField()
    opened = serializers.IntegerField()
    machine_opened = serializers.IntegerField(help_text="By a mail program, perhaps before anybody looked.")
    clicked = serializers.IntegerField()
    converted = serializers.IntegerField()
    unsubscribed = serializers.IntegerField()
    complained = serializers.IntegerField()
    unpriced = serializers.IntegerField(help_text="Messages that were sent and of which no price is known.")
    of_sent = OfSentAnswer()
    suppressed_because = BecauseAnswer(many=True)
    failed_because = BecauseAnswer(many=True)
    revenue = serializers.DictField(child=serializers.CharField(), help_text="By currency.")
    cost = serializers.DictField(child=serializers.CharField(), help_text="By currency.")


class PartAnswer(serializers.Serializer[Any]):
    """What part of the reached people did it, and between what the true part lies with 95 %."""

    rate = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class VariantAnswer(serializers.Serializer[Any]):
    """One variant; `best` is the probability that it is the best by the campaign's goal, null while it is too early to
    tell. Rates and `best` are of the people of the test, up to the choice, once a winner of it went to the rest.
    """

    variant = serializers.CharField()
    template = serializers.CharField()
    people = serializers.IntegerField()
    reached = serializers.IntegerField()
    best = serializers.FloatField(allow_null=True)
    of_reached = serializers.DictField(child=PartAnswer())
    figures = FiguresAnswer()


class ChannelFiguresAnswer(serializers.Serializer[Any]):
    """One channel."""

    channel = serializers.CharField()
    figures = FiguresAnswer()


class HoldOutAnswer(serializers.Serializer[Any]):
    """Everybody who was meant to get a message, compared with everybody who was held out; parts from 0 to 1."""

    people = serializers.IntegerField()
    converted = serializers.IntegerField()
    held_out = serializers.IntegerField()
    held_out_converted = serializers.IntegerField()
    difference = serializers.FloatField()
    low = serializers.FloatField(help_text="The true difference lies between `low` and `high` with 95 %.")
    high = serializers.FloatField()
    helps = serializers.FloatField(help_text="The probability that the messages help.")
    until = serializers.DateTimeField()


class RunFiguresAnswer(serializers.Serializer[Any]):
    """One run among the others."""

    id = serializers.UUIDField()
    planned_for = serializers.DateTimeField()
    state = serializers.CharField()
    winner = serializers.CharField(allow_blank=True)
    figures = FiguresAnswer()


class CampaignReportAnswer(serializers.Serializer[Any]):
    """What came of a campaign: of `run`, or of all of `runs` where it is null."""

    campaign = serializers.UUIDField()
    name = serializers.CharField()
    run = serializers.UUIDField(allow_null=True)
    people = serializers.IntegerField()
    held_out = serializers.IntegerField()
    total = FiguresAnswer()
    variants = VariantAnswer(many=True)
    channels = ChannelFiguresAnswer(many=True)
    verdict = serializers.ListField(child=serializers.CharField(), help_text="What it shows, in plain words.")
    hold_out = HoldOutAnswer(allow_null=True)
    estimate = serializers.DictField(allow_null=True, help_text="What was expected of the run before it started.")
    runs = RunFiguresAnswer(many=True)


class LineAnswer(serializers.Serializer[Any]):
    """What came of one campaign, template, category or channel; `key` is its id, name or slug."""

    key = serializers.CharField(allow_blank=True)
    name = serializers.CharField()
    figures = FiguresAnswer()


#: What `GET /v1/reports` leaves out, for whoever reads its figures.
NOT_COVERED: Final = (
    "Campaigns of this application alone. What it asked for by POST /v1/notifications is not in these figures, by "
    "template and category neither: that is counted for all applications together, and shown in the admin."
)


class SpanReportAnswer(serializers.Serializer[Any]):
    """What came of all that the application's campaigns sent, and of nothing else."""

    covers = serializers.CharField(help_text="Always `campaigns`: " + NOT_COVERED)
    explanation = serializers.CharField(help_text="What is not in the figures, in words.")
    by = serializers.CharField()
    since = serializers.DateField()
    until = serializers.DateField()
    lines = LineAnswer(many=True)
    total = FiguresAnswer()
