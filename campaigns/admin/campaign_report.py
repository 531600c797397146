"""The report of a campaign: of one run, or of its latest ones together."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.admin.bases import ModelAdmin
from accounts.staff.eyes import MaskedStream
from campaigns.admin import expecting, figures
from campaigns.admin.figures import Row
from campaigns.models import Campaign, Export, Run, Sample
from campaigns.reports import charts, gathering, summary
from campaigns.reports.cells import BEGINNING, lines
from campaigns.reports.charts import Chart, Grain
from campaigns.reports.counting import Counted
from campaigns.reports.gathering import CampaignReport
from campaigns.reports.reading import Which, over_time
from notifications.clock import clock

#: Whoever may take the deliveries of a run away, one by one.
EXPORT: Final = "accounts.export_recipient"
#: What is drawn from the samples of a run, and what from the hours in which people did it.
_SENT: Final = ("planned", "sent", "delivered", "failed")
_DONE: Final = ("opened", "clicked", "converted", "unsubscribed")


class _RunForm(forms.Form):
    run = forms.UUIDField(required=False)


class CampaignReports(ModelAdmin[Campaign]):
    """The page and its file."""

    def campaign_report_urls(self) -> list[URLPattern]:
        """Their addresses."""
        views = {"": self.report_view, "summary.csv": self.summary_view}
        names = {"": "campaigns_campaign_report", "summary.csv": "campaigns_campaign_summary"}
        return [
            path(f"<uuid:key>/report/{end}", self.admin_site.admin_view(view), name=names[end])
            for end, view in views.items()
        ]

    def report_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """What came of a campaign, for those who may see it."""
        report = self._report(request, key)
        run = report.run
        may_export = run is not None and request.user.has_perm(EXPORT)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Report: {report.campaign}",
            "report": report,
            "clock": report.campaign.clock,
            "columns": figures.COLUMNS,
            "total": [Row("All", figures.cells(report.total))],
            "variants": _variants(report),
            "channels": [Row(line.name, figures.cells(line.counted)) for line in report.channels],
            "runs": _runs(report) if len(report.runs) > 1 else [],
            "most_runs": gathering.MOST_RUNS if len(report.runs) == gathering.MOST_RUNS else 0,
            "funnel": charts.funnel(report.total),
            "whiskers": _whiskers(report),
            "compared": _compared(report),
            "expected": expecting.compared_by_channel(report),
            "sent_chart": _sent_chart(run),
            "done_chart": _done_chart(report),
            "width": charts.WIDTH,
            "height": charts.HEIGHT,
            "may_export": may_export,
            "exports": _exports(run, request) if may_export and run else [],
        }
        return TemplateResponse(request, "admin/campaigns/report/campaign.html", context)

    def summary_view(self, request: HttpRequest, key: UUID) -> MaskedStream:
        """The figures as a file. They are about nobody in particular."""
        report = self._report(request, key)
        rows = summary.of_campaign(report)
        name = f"report-{report.campaign.pk}.csv"
        return MaskedStream([BEGINNING, lines(rows)], content_type="text/csv; charset=utf-8", headers=attached(name))

    def _report(self, request: HttpRequest, key: UUID) -> CampaignReport:
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = _RunForm(request.GET)
        if not asked.is_valid():
            raise Http404
        try:
            campaign = Campaign.objects.select_related("segment", "application").get(pk=key)
            return gathering.of_campaign(campaign, asked.cleaned_data["run"], clock.now())
        except (Campaign.DoesNotExist, Run.DoesNotExist):
            raise Http404 from None


def attached(name: str) -> Mapping[str, str]:
    """Headers of a file that is kept under a name, and by nobody on the way."""
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}


def _variants(report: CampaignReport) -> list[Row]:
    """Each variant, beneath it its channels where there are several, and those who got nothing."""
    rows = []
    for one in report.comparison.variants:
        detail = f"{one.template}; for {one.people:,} people, of whom {one.reached:,} were reached"
        rows.append(Row(one.letter, figures.cells(one.counted), detail=detail))
        mine = [(channel, cell) for (letter, channel), cell in report.cells.items() if letter == one.letter]
        if len(mine) > 1:
            rows += [Row(channel.value, figures.cells(cell), is_inner=True) for channel, cell in mine]
    return rows


def _runs(report: CampaignReport) -> list[Row]:
    return [
        Row(
            f"{line.run.planned_for.astimezone(report.campaign.clock):%Y-%m-%d %H:%M}",
            figures.cells(line.counted),
            f"?run={line.run.pk}",
            ", ".join(part for part in (line.run.get_state_display(), line.run.note) if part),
        )
        for line in report.runs
    ]


def _whiskers(report: CampaignReport) -> list[tuple[str, Any]]:
    """The rates of all variants, where there are several to compare."""
    several = report.comparison.variants
    if len(several) < 2:
        return []
    drawn = ((name, charts.whiskers(several, name)) for name in ("opened", "clicked", "converted", "unsubscribed"))
    return [(name.capitalize(), one) for name, one in drawn if one]


def _compared(report: CampaignReport) -> list[tuple[str, str]]:
    """The probability of each to be the best."""
    stands = [(one.letter, one.best) for one in report.comparison.variants if one.best is not None]
    return [(letter, charts.chance(best)) for letter, best in stands]


def _sent_chart(run: Run | None) -> Chart | None:
    if run is None:
        return None
    kept = Sample.objects.filter(run=run).order_by("at").values_list("at", "counts")
    samples = [(at, {name: counts.get(name, 0) for name in _SENT}) for at, counts in kept]
    return charts.over_time(charts.differences(samples), _SENT, clock=run.campaign.clock)


def _done_chart(report: CampaignReport) -> Chart | None:
    parts = gathering.parts_of(report)
    hours = over_time(Which(parts=parts), by_day=False) if parts else {}
    return charts.over_time(figures_of(hours, _DONE), _DONE, Grain(timedelta(hours=1)), report.campaign.clock)


def figures_of(hours: Mapping[datetime, Counted], names: Sequence[str]) -> list[tuple[datetime, dict[str, int]]]:
    """What is drawn, of all that was counted by the hour or the day."""
    return [(at, {name: getattr(one, name) for name in names}) for at, one in hours.items()]


def _exports(run: Run, request: HttpRequest) -> list[tuple[Export, str]]:
    """The files that whoever looks has asked for."""
    user = request.user
    assert isinstance(user, User)
    found = Export.objects.filter(run=run, asked_by=user).order_by("-id")[:5]
    return [(one, reverse("admin:campaigns_campaign_export", args=[one.pk])) for one in found]
