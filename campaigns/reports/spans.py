"""All that went out in a span of days: by campaign, template, category or channel, and along time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from campaigns.models import Arm
from campaigns.reports.counting import NUMBERS, RATES, Counted, Line, added
from campaigns.reports.reading import Span, Which, counted, over_time
from notifications.models.turnouts import NO_PART
from templates_app.models import TemplateVersion

#: Spans up to this are told by the hour, longer ones by the day.
_BY_HOUR: Final = timedelta(days=2)
#: Whoever asks for a day outside of these has mistyped the year, and nothing could be reckoned with it.
FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2999, 12, 31)


class By(StrEnum):
    """What each line of a report is about."""

    CAMPAIGN = "campaign"
    TEMPLATE = "template"
    CATEGORY = "category"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class SpanReport:
    """What each line and all of them come to."""

    by: By
    span: Span
    lines: Sequence[Line]
    total: Counted

    @property
    def is_by_day(self) -> bool:
        """Whether times are days; they are hours otherwise."""
        return self.span.until - self.span.since > _BY_HOUR


def of_span(by: By, span: Span, parts: Sequence[UUID] | None = None) -> SpanReport:
    """What was planned in a span and what people did in it. `parts`: of these arms of runs alone."""
    lines = _lines(by, Which(parts=parts, span=span))
    return SpanReport(by, span, sorted(lines, key=lambda line: line.name), added(line.counted for line in lines))


def _lines(by: By, which: Which) -> list[Line]:
    match by:
        case By.CHANNEL:
            return [Line(channel, channel, one) for (channel,), one in counted(which, "channel").items()]
        case By.CAMPAIGN:
            return _by_campaign(counted(which, "part_of"))
        case By.TEMPLATE | By.CATEGORY:
            return _by_version(counted(which, "version_id"), by)


def times_of(report: SpanReport, key: str = "") -> Mapping[datetime, Counted]:
    """When what a report is about happened: all of it, or that of the line with this key."""
    return over_time(_of_line(report, key) if key else Which(span=report.span), by_day=report.is_by_day)


def _of_line(report: SpanReport, key: str) -> Which:
    match report.by:
        case By.CHANNEL:
            return Which(span=report.span, channel=key)
        case By.CAMPAIGN:
            arms = Arm.objects.filter(run__campaign__id=key)
            return Which(span=report.span, parts=list(arms.values_list("id", flat=True)))
        case By.TEMPLATE | By.CATEGORY:
            named = "template__name" if report.by is By.TEMPLATE else "template__category__slug"
            versions = TemplateVersion.objects.filter(**{named: key})
            return Which(span=report.span, versions=list(versions.values_list("id", flat=True)))


def ordered(lines: Sequence[Line], column: str, *, is_falling: bool) -> Sequence[Line]:
    """Lines by a column: `name`, a number, or a rate by its name and `_rate`. What has no rate comes last."""
    if column == "name":
        return sorted(lines, key=lambda line: line.name, reverse=is_falling)
    name = column.removesuffix("_rate")

    def place(line: Line) -> tuple[bool, float]:
        number = line.counted.rate(name) if column != name else line.counted.number(name)
        return number is None, -(number or 0) if is_falling else number or 0

    return sorted(sorted(lines, key=lambda line: line.name), key=place)


#: By what lines can be ordered.
COLUMNS: Final = ("name", *NUMBERS, *(f"{name}_rate" for name in RATES))


def _by_version(found: Mapping[tuple[UUID], Counted], by: By) -> list[Line]:
    versions = TemplateVersion.objects.filter(id__in=[version for (version,) in found])
    subject = ("template__name", "template__title") if by is By.TEMPLATE else _CATEGORY
    return _grouped(
        found, {row[0]: row[1:] for row in versions.values_list("id", *subject)}, ("", "A deleted template")
    )


_CATEGORY: Final = ("template__category__slug", "template__category__name")


def _by_campaign(found: Mapping[tuple[UUID], Counted]) -> list[Line]:
    arms = Arm.objects.filter(id__in=[part for (part,) in found if part != NO_PART])
    rows = arms.values_list("id", "run__campaign_id", "run__campaign__name")
    return _grouped(found, {row[0]: (str(row[1]), row[2]) for row in rows}, ("", "No campaign: asked for by the API"))


def _grouped(
    found: Mapping[tuple[UUID], Counted], subjects: Mapping[UUID, tuple[Any, ...]], others: tuple[str, str]
) -> list[Line]:
    """One line for each subject, whatever number of keys belong to it."""
    each: defaultdict[tuple[str, str], list[Counted]] = defaultdict(list)
    for (key,), one in found.items():
        subject = subjects.get(key, others)
        each[str(subject[0]), str(subject[1])].append(one)
    return [Line(key, name, added(several)) for (key, name), several in each.items()]
