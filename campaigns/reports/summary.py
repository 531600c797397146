"""A report as a table: for a file, and for programs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from campaigns.reports.cells import Cell, written
from campaigns.reports.counting import NUMBERS, RATES, Because, Counted, Line
from campaigns.reports.gathering import CampaignReport
from campaigns.reports.spans import SpanReport

#: The columns of a file, beneath which each row has one cell.
_FIGURES: Final = (*NUMBERS, *(f"{name}_of_sent" for name in RATES))


def of_campaign(report: CampaignReport) -> Iterator[Sequence[Cell]]:
    """All of it, then by variant, by channel, by both, and why what was planned or sent came to nothing."""
    currencies = _currencies([report.total])
    yield ("variant", "channel", "people", *_FIGURES, *_money_columns(currencies))
    yield ("", "", report.people, *_figures(report.total, currencies))
    for variant in report.comparison.variants:
        yield (variant.letter, "", variant.people, *_figures(variant.counted, currencies))
    if report.held_out:
        yield ("held out", "", report.held_out)
    for line in report.channels:
        yield ("", line.name, None, *_figures(line.counted, currencies))
    for (letter, channel), cell in report.cells.items():
        yield (letter, channel.value, None, *_figures(cell, currencies))
    yield ()
    yield ("came to nothing", "because", "messages")
    for kind, told in (("suppressed", report.total.why_suppressed), ("failed", report.total.why_failed)):
        for one in told:
            yield (kind, one.text, one.count)


def of_span(report: SpanReport, lines: Sequence[Line]) -> Iterator[Sequence[Cell]]:
    """A row for each line, in the order given, and their sum."""
    currencies = _currencies([report.total])
    yield (report.by.value, "name", *_FIGURES, *_money_columns(currencies))
    for line in lines:
        yield (line.key, line.name, *_figures(line.counted, currencies))
    yield ("", "all", *_figures(report.total, currencies))


def as_json(counted: Counted) -> Mapping[str, Any]:
    """Figures for programs: amounts are texts, as no float can hold them."""
    return {
        **{name: counted.number(name) for name in NUMBERS},
        "of_sent": counted.rates,
        "suppressed_because": _because(counted.why_suppressed),
        "failed_because": _because(counted.why_failed),
        "revenue": {currency: written(amount) for currency, amount in sorted(counted.revenue.items())},
        "cost": {currency: written(amount) for currency, amount in sorted(counted.cost.items())},
    }


def _because(told: Sequence[Because]) -> list[Mapping[str, Any]]:
    return [{"reason": one.reason, "explanation": one.text, "count": one.count} for one in told]


def _figures(counted: Counted, currencies: Sequence[str]) -> Iterator[Cell]:
    yield from (counted.number(name) for name in NUMBERS)
    yield from (counted.rate(name) for name in RATES)
    for currency in currencies:
        yield counted.revenue.get(currency)
        yield counted.cost.get(currency)


def _money_columns(currencies: Sequence[str]) -> Iterator[str]:
    for currency in currencies:
        yield f"revenue {currency}"
        yield f"cost {currency}"


def _currencies(several: Sequence[Counted]) -> Sequence[str]:
    return sorted({currency for one in several for currency in (*one.revenue, *one.cost)})
