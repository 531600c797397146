"""What went out in a span of days: by campaign, template, category or channel."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.admin.bases import ModelAdmin
from accounts.staff.eyes import MaskedStream
from campaigns.admin import figures
from campaigns.admin.campaign_report import attached, figures_of
from campaigns.admin.figures import Row
from campaigns.models import Campaign
from campaigns.reports import charts, spans, summary
from campaigns.reports.cells import BEGINNING, lines
from campaigns.reports.charts import Grain
from campaigns.reports.counting import Line
from campaigns.reports.reading import Span
from campaigns.reports.spans import FIRST_DAY, LAST_DAY, By, SpanReport
from notifications.clock import clock

#: Spans that are one click away, in days, and the longest one.
_DAYS: Final = (7, 30, 90)
_LONGEST: Final = timedelta(days=366)
_A_DAY: Final = (MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY))
_DRAWN: Final = ("planned", "sent", "delivered", "opened", "clicked", "converted", "unsubscribed")


class SpanForm(forms.Form):
    """What the lines are about, and which days; how they are ordered, and of which line the times are."""

    by = forms.ChoiceField(label="By", choices=[(one.value, one.value.capitalize()) for one in By])
    since = forms.DateField(label="From", validators=_A_DAY, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(
        label="Until and including", validators=_A_DAY, widget=forms.DateInput(attrs={"type": "date"})
    )
    sort = forms.CharField(required=False, widget=forms.HiddenInput)
    key = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)

    def clean_sort(self) -> str:
        """A column, with a minus where the largest comes first; anything else is the usual order."""
        sort: str = self.cleaned_data["sort"]
        return sort if sort.removeprefix("-") in spans.COLUMNS else "-sent"

    def clean(self) -> dict[str, Any]:
        """Days in their order, not too many of them, and a key that can be one."""
        cleaned = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("since", "This day comes after the last one.")
        elif since and until and until - since > _LONGEST:
            self.add_error("since", f"At most {_LONGEST.days} days can be looked at together.")
        if cleaned.get("by") == By.CAMPAIGN and cleaned.get("key"):
            try:
                UUID(cleaned["key"])
            except ValueError:
                cleaned["key"] = ""
        return cleaned

    def span(self) -> Span:
        """The days asked for, as UTC has them."""
        since = datetime.combine(self.cleaned_data["since"], time(), UTC)
        return Span(since, datetime.combine(self.cleaned_data["until"], time(), UTC) + timedelta(days=1))


class SpanReports(ModelAdmin[Campaign]):
    """The page and its file."""

    def span_urls(self) -> list[URLPattern]:
        """Their addresses."""
        view = self.admin_site.admin_view
        return [
            path("reports/", view(self.reports_view), name="reports"),
            path("reports/reports.csv", view(self.reports_file_view), name="reports_file"),
        ]

    def reports_view(self, request: HttpRequest) -> HttpResponse:
        """A form, and beneath it the figures."""
        form = self._asked(request)
        context = {
            **self.admin_site.each_context(request),
            "title": "Reports",
            "form": form,
            "columns": [],
            "rows": [],
            "days": _links(form),
        }
        if form.is_valid():
            context |= _told(form)
        return TemplateResponse(request, "admin/campaigns/report/span.html", context)

    def reports_file_view(self, request: HttpRequest) -> HttpResponse | MaskedStream:
        """The same as a file."""
        form = self._asked(request)
        if not form.is_valid():
            wrong = "\n".join(f"{name}: {' '.join(map(str, messages))}" for name, messages in form.errors.items())
            return HttpResponse(f"There is no file for this:\n{wrong}\n", "text/plain; charset=utf-8", status=400)
        report, found = _report(form)
        return MaskedStream(
            [BEGINNING, lines(summary.of_span(report, found))],
            content_type="text/csv; charset=utf-8",
            headers=attached(f"report-{report.by}.csv"),
        )

    def _asked(self, request: HttpRequest) -> SpanForm:
        if not self.has_view_permission(request):
            raise PermissionDenied
        today = clock.now().astimezone(UTC).date()
        usual = {"by": By.CAMPAIGN.value, "since": f"{today - timedelta(days=29)}", "until": f"{today}"}
        return SpanForm({**usual, **request.GET.dict()})


def _report(form: SpanForm) -> tuple[SpanReport, list[Line]]:
    report = spans.of_span(By(form.cleaned_data["by"]), form.span())
    sort: str = form.cleaned_data["sort"]
    return report, list(spans.ordered(report.lines, sort.removeprefix("-"), is_falling=sort.startswith("-")))


def _told(form: SpanForm) -> dict[str, Any]:
    report, found = _report(form)
    key: str = form.cleaned_data["key"]
    chosen = next((line.name for line in found if line.key == key), "") if key else ""
    times = spans.times_of(report, key if chosen else "")
    least = timedelta(days=1) if report.is_by_day else timedelta(hours=1)
    grain = Grain(least, report.span.since, min(report.span.until, clock.now()))
    return {
        "report": report,
        "by": report.by.value.capitalize(),
        "columns": [_heading(form, label, name) for label, name in figures.COLUMNS],
        "name_column": _heading(form, report.by.value.capitalize(), "name"),
        "rows": [_row(form, report.by, line) for line in found],
        "total": figures.cells(report.total),
        "chosen": chosen,
        "all_url": _url(form, key=""),
        "chart": charts.over_time(figures_of(times, _DRAWN), _DRAWN, grain),
        "width": charts.WIDTH,
        "height": charts.HEIGHT,
        "file_url": f"{reverse('admin:reports_file')}{_url(form)}",
    }


def _row(form: SpanForm, by: By, line: Line) -> Row:
    page = reverse("admin:campaigns_campaign_report", args=[line.key]) if by is By.CAMPAIGN and line.key else ""
    return Row(line.name, figures.cells(line.counted), page, _url(form, key=line.key) if line.key else "")


def _heading(form: SpanForm, label: str, name: str) -> tuple[str, str, str]:
    """A column's name, what orders the lines by it, and for screen readers how they are ordered now."""
    if not name:
        return label, "", ""
    now: str = form.cleaned_data["sort"]
    is_falling = now == f"-{name}" or (now.removeprefix("-") != name and name == "name")
    direction = {name: "ascending", f"-{name}": "descending"}.get(now, "")
    return label, _url(form, sort=name if is_falling else f"-{name}"), direction


def _links(form: SpanForm) -> list[tuple[str, str]]:
    """The spans that are one click away."""
    today = clock.now().astimezone(UTC).date()
    by = form.data["by"]
    return [
        (f"Last {days} days", f"?{urlencode({'by': by, 'since': today - timedelta(days=days - 1), 'until': today})}")
        for days in _DAYS
    ]


def _url(form: SpanForm, **other: str) -> str:
    """The same page, but for `other`."""
    asked = {name: str(form.cleaned_data[name]) for name in ("by", "since", "until", "sort", "key")}
    return f"?{urlencode({name: value for name, value in (asked | other).items() if value})}"
