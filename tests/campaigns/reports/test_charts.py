"""What reports are drawn from: every figure is in the drawing and in the table beside it."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from campaigns.reports import charts
from campaigns.reports.cells import lines
from campaigns.reports.counting import Counted

AT = datetime(2026, 5, 1, 9, tzinfo=UTC)


def test_the_funnel_tells_each_step_of_the_planned_and_of_the_step_before() -> None:
    steps = charts.funnel(Counted(planned=200, sent=100, delivered=0, opened=50, clicked=10, converted=1))

    assert [(one.name, one.count, one.of_planned_text, one.of_before_text, one.width) for one in steps] == [
        ("planned", 200, "100.0 %", "–", 100.0),
        ("sent", 100, "50.0 %", "50.0 %", 50.0),
        ("delivered", 0, "0.0 %", "0.0 %", 0.0),
        ("opened", 50, "25.0 %", "–", 25.0),
        ("clicked", 10, "5.0 %", "20.0 %", 5.0),
        ("converted", 1, "0.50 %", "10.0 %", 0.5),
    ]


def test_a_step_of_which_nobody_tells_is_a_dash_and_the_next_is_a_part_of_the_one_before() -> None:
    steps = charts.funnel(Counted(planned=200, sent=100, untold=100, opened=50))

    told = [(one.count, one.of_planned_text, one.of_before_text, one.width) for one in steps[2:4]]
    assert told == [(None, "–", "–", 0.0), (50, "25.0 %", "50.0 %", 25.0)]


def test_a_step_of_which_some_tell_is_a_part_of_what_they_told_of() -> None:
    steps = charts.funnel(Counted(planned=200, sent=100, untold=60, delivered=30, opened=50))

    assert [one.of_before_text for one in steps[2:4]] == ["75.0 %", "50.0 %"]


def test_a_funnel_of_nothing_is_drawn_too() -> None:
    assert all(one.width == 0 for one in charts.funnel(Counted()))


def test_samples_are_sums_and_charts_show_what_came_between_them() -> None:
    samples = [(AT + timedelta(seconds=10 * place), {"sent": sum_}) for place, sum_ in enumerate([5, 20, 20, 18, 30])]

    assert [numbers["sent"] for _, numbers in charts.differences(samples)] == [5, 15, 0, 0, 10]


@pytest.mark.parametrize(
    ("span", "each"),
    [
        (timedelta(seconds=40), "5 seconds"),
        (timedelta(minutes=50), "a minute"),
        (timedelta(hours=20), "30 minutes"),
        (timedelta(days=30), "a day"),
        (timedelta(days=365), "7 days"),
    ],
)
def test_columns_are_as_wide_as_the_span_asks_for_and_nothing_is_lost(span: timedelta, each: str) -> None:
    figures = [(AT + span * part / 100, {"sent": part, "clicked": 1}) for part in range(101)]

    chart = charts.over_time(figures, ("sent", "clicked"))

    assert chart is not None
    assert chart.each == each
    assert [(panel.name, panel.total) for panel in chart.panels] == [("sent", 5050), ("clicked", 101)]
    assert sum(numbers[0] for _, numbers in chart.rows) == 5050
    for panel in chart.panels:
        assert len(panel.bars) <= 60
        for bar in panel.bars:
            assert bar.x >= 0
            assert bar.x + bar.width <= charts.WIDTH + 0.01
            assert bar.y >= 0
            assert bar.y + bar.height == pytest.approx(charts.HEIGHT)


def test_days_are_drawn_from_the_first_to_the_last_of_a_span_and_none_after_it() -> None:
    since = datetime(2026, 5, 1, tzinfo=UTC)
    week = charts.Grain(timedelta(days=1), since, since + timedelta(days=7))

    chart = charts.over_time([(since, {"sent": 1}), (since + timedelta(days=6), {"sent": 2})], ("sent",), week)

    assert chart is not None
    assert [label for _, label in chart.ticks] == ["05-01", "05-03", "05-05", "05-07"]
    (panel,) = chart.panels
    assert [round(bar.x * 7 / charts.WIDTH, 1) for bar in panel.bars] == [0, 6]


def test_what_never_happened_has_no_chart() -> None:
    assert charts.over_time([(AT, {"sent": 0})], ("sent",)) is None
    assert charts.over_time([], ("sent",)) is None


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x","y")'])
def test_no_cell_is_a_formula(cell: str) -> None:
    written = lines([[cell]])

    assert written.lstrip('"').startswith("'")


def test_a_phone_number_is_a_number_and_no_formula() -> None:
    assert lines([["+821012345678", "+82-10", "+1+1"]]) == "+821012345678,'+82-10,'+1+1\r\n"


def test_cells_keep_commas_quotes_and_line_breaks() -> None:
    assert lines([["a,b", 'c"d', "e\nf", None, 1.5, AT]]) == '"a,b","c""d","e\nf",,1.5,2026-05-01T09:00:00+00:00\r\n'


def test_columns_are_of_the_clock_that_is_asked_for() -> None:
    hours = [(AT.replace(minute=0, second=0) + timedelta(hours=one), {"sent": 1}) for one in range(72)]
    korean = charts.over_time(hours, ["sent"], charts.Grain(timedelta(days=1)), ZoneInfo("Asia/Seoul"))
    indian = charts.over_time(hours[:5], ["sent"], charts.Grain(timedelta(hours=1)), ZoneInfo("Asia/Kolkata"))
    assert korean
    assert indian

    shift = timedelta(hours=9)
    by_day = Counter(f"{at + shift:%Y-%m-%d}" for at, _ in hours)
    assert [(label, numbers[0]) for label, numbers in korean.rows] == sorted(by_day.items())
    assert {label[-3:] for label, _ in indian.rows} == {":30"}, "an hour of UTC is not parted"
