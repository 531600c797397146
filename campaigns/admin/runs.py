"""Runs: how far each is, and what can be done with it. Nobody writes one by hand."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.admin.bases import ModelAdmin, ReadOnly
from campaigns import controlling
from campaigns.admin import buttons, run_page
from campaigns.admin.run_page import Shown
from campaigns.admin.when import on_the_wall
from campaigns.controlling import CannotDo
from campaigns.models import Run
from campaigns.vocabulary import RunState
from notifications.clock import clock

_START: Final = "campaigns.start_campaign"


@admin.register(Run)
class RunAdmin(ReadOnly, ModelAdmin[Run]):
    """What each going-out came to, the latest first."""

    list_display = ("named", "standing", "far", "people", "winner", "note")
    list_filter = ("state", "campaign")
    list_select_related = ("campaign",)
    search_fields = ("campaign__name",)
    ordering = ("-id",)
    actions = None

    def get_urls(self) -> list[URLPattern]:
        """What is done comes first: Django's last takes everything."""
        views: dict[str, Callable[..., HttpResponse]] = {
            "live": self.live_view,
            "pause": require_POST(self.pause_view),
            "resume": require_POST(self.resume_view),
            "cancel": self.cancel_view,
            "retry": self.retry_view,
        }
        own = [
            path(f"<uuid:key>/{name}/", self.admin_site.admin_view(view), name=f"campaigns_run_{name}")
            for name, view in views.items()
        ]
        choose = self.admin_site.admin_view(self.choose_view)
        return [*own, path("<uuid:key>/choose/<str:letter>/", choose, name="campaigns_run_choose"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """With how many are planned."""
        return super().get_queryset(request).annotate(handled=Sum("arms__people"))

    @admin.display(description="run")
    def named(self, run: Run) -> str:
        """Its campaign and moment, by a clock that is named: those of other campaigns are others."""
        return f"{run}, {run.campaign.clock.key}"

    @admin.display(description="state", ordering="state")
    def standing(self, run: Run) -> SafeString:
        """Where it stands."""
        state = RunState(run.state)
        return format_html('<span class="bongsu-state {}">{}</span>', run_page.LOOKS[state], run.get_state_display())

    @admin.display(description="planned")
    def far(self, run: Any) -> str:
        """The part of its people for whom it is decided what they get."""
        return f"{100 * (run.handled or 0) // run.people} %" if run.people else "–"

    # --- its page --------------------------------------------------------------------------------------
    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """How far it is; in place of a form."""
        try:
            run = self._run(request, UUID(object_id))
        except ValueError:
            raise Http404 from None
        seen = run_page.shown(run, clock.now())
        context = {
            "title": str(run),
            "seen": seen,
            "buttons": _buttons(request, seen),
            "moment": on_the_wall(run.planned_for, run.campaign.zone),
        }
        return self._page_of(request, run, "admin/campaigns/run/page.html", context)

    def live_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """What has become of it since: the page asks every other second."""
        seen = run_page.shown(self._run(request, key), clock.now())
        parts = {
            "html": render_to_string("admin/campaigns/run/progress.html", {"seen": seen, "run": seen.run}),
            "buttons": render_to_string(
                "admin/campaigns/buttons.html", {"buttons": _buttons(request, seen)}, request=request
            ),
            "says": seen.says,
            "is_over": seen.is_over,
        }
        return JsonResponse(parts, headers={"Cache-Control": "no-store"})

    # --- what is done with it --------------------------------------------------------------------------
    def pause_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Hold it."""

        def pause(run: Run) -> str:
            controlling.pause(run.pk, clock.now())
            return "Paused: nothing more of it leaves."

        return self._done(request, key, pause)

    def resume_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Go on where it was held."""

        def resume(run: Run) -> str:
            controlling.resume(run.pk, clock.now())
            return "Resumed: it goes on where it was paused."

        return self._done(request, key, resume)

    def cancel_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Ask once more, then withdraw what has not left."""

        def cancel(run: Run) -> str:
            ended = controlling.withdraw(run.pk, clock.now())
            return f"Cancelled: {ended.cancelled:,} messages were withdrawn, {ended.too_late:,} had left already."

        if request.method == "POST":
            return self._done(request, key, cancel)
        return self._ask(request, key, ("Cancel the run", _of_cancelling), is_risky=True)

    def retry_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Ask once more, then try again what failed."""

        def retry(run: Run) -> str:
            done = controlling.retry_failed(run.pk, clock.now())
            if not done.replayed:
                return "Nothing is left whose attempts were used up: nothing is tried again."
            return f"{done.replayed:,} messages are tried again, some thousand a second."

        if request.method == "POST":
            return self._done(request, key, retry)
        return self._ask(request, key, ("Retry failed", _of_retrying))

    def choose_view(self, request: HttpRequest, key: UUID, letter: str) -> HttpResponse:
        """Ask once more, then send a variant to those who wait."""

        def choose(run: Run) -> str:
            controlling.choose(run.pk, letter, clock.now())
            return f"{letter} goes to the rest."

        def of_choosing(seen: Shown) -> str:
            rest = seen.run.people - seen.progress.handled
            template = seen.templates.get(letter, "")
            return f"{letter} ({template}) goes to the {rest:,} people who are left. This cannot be taken back."

        if request.method == "POST":
            return self._done(request, key, choose)
        return self._ask(request, key, (f"Send {letter[:1]} to the rest", of_choosing))

    # --- how -------------------------------------------------------------------------------------------
    def _run(self, request: HttpRequest, key: UUID, permission: str = "") -> Run:
        run = get_object_or_404(Run.objects.select_related("campaign"), pk=key)
        if not self.has_view_permission(request, run) or (permission and not request.user.has_perm(permission)):
            raise PermissionDenied
        return run

    def _ask(
        self,
        request: HttpRequest,
        key: UUID,
        what: tuple[str, Callable[[Shown], str]],
        *,
        is_risky: bool = False,
    ) -> HttpResponse:
        verb, says = what
        run = self._run(request, key, _START)
        seen = run_page.shown(run, clock.now())
        context = {
            "title": f"{verb}: {run}",
            "verb": verb,
            "says": says(seen),
            "seen": seen,
            "is_risky": is_risky,
        }
        return self._page_of(request, run, "admin/campaigns/run/confirm.html", context)

    def _done(self, request: HttpRequest, key: UUID, do: Callable[[Run], str]) -> HttpResponse:
        run = self._run(request, key, _START)
        try:
            says = do(run)
        except CannotDo as error:
            messages.error(request, str(error))
        else:
            self.log_change(request, run, says)
            messages.success(request, says)
        return redirect(reverse("admin:campaigns_run_change", args=[key]))

    def _page_of(self, request: HttpRequest, run: Run, template: str, context: dict[str, Any]) -> TemplateResponse:
        usual = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "run": run,
            "original": run,
            "has_view_permission": True,
            "page": reverse("admin:campaigns_run_change", args=[run.pk]),
        }
        return TemplateResponse(request, template, {**usual, **context})


def _buttons(request: HttpRequest, seen: Shown) -> list[buttons.Button]:
    return buttons.of_run(seen.run, request.user.has_perm, failed=seen.progress.counts.failed)


def _of_cancelling(seen: Shown) -> str:
    far = seen.progress
    left = f"{far.counts.sent:,} messages have left already and cannot be taken back."
    rest = f"{far.people - far.handled:,} people who are not planned yet, and {far.counts.waiting:,} messages that wait"
    return f"{left} {rest}, are left out."


def _of_retrying(seen: Shown) -> str:
    failed = f"Up to {seen.progress.counts.failed:,} messages are tried again"
    return f"{failed}: those whose attempts were used up. What a provider refused for good is not asked again."
