"""What is done with a campaign: started, approved, sent back, paused, resumed, stopped, duplicated, sent to oneself.

Each is a POST. What reaches people asks first: its page says how many, and what is wrong.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from accounts.admin.bases import ModelAdmin
from accounts.channels import Channel
from accounts.staff.eyes import SEE
from campaigns import checking, copying, rehearsing, reviewing
from campaigns.admin import expecting, looking
from campaigns.admin.buttons import may_rehearse
from campaigns.admin.when import foretold, on_the_wall, typed
from campaigns.estimating import CannotEstimate, estimate
from campaigns.models import Campaign, Run
from campaigns.reviewing import NotAllowed, NotReady
from campaigns.segments.compiling import UnusableRules
from campaigns.vocabulary import UNFINISHED, CampaignState
from notifications.clock import clock
from templates_app.models import Template

_CONFIRM: Final = "admin/campaigns/campaign/confirm.html"
_START: Final = "campaigns.start_campaign"
_APPROVE: Final = "campaigns.approve_campaign"
_ASKED: Final[Mapping[Channel, str]] = {
    Channel.PUSH: "A device's token",
    Channel.SMS: "A phone number, as in +821012345678",
    Channel.EMAIL: "An email address",
}


class CampaignSteps(ModelAdmin[Campaign]):
    """The steps of a campaign's page."""

    def step_urls(self) -> list[URLPattern]:
        """An address each."""
        views: dict[str, Callable[..., HttpResponse]] = {
            "start": self.start_view,
            "approve": self.approve_view,
            "send_back": require_POST(self.send_back_view),
            "pause": require_POST(self.pause_view),
            "resume": require_POST(self.resume_view),
            "stop": require_POST(self.stop_view),
            "duplicate": require_POST(self.duplicate_view),
            "rehearse": self.rehearse_view,
            "before": self.before_view,
            "estimate": self.estimate_view,
        }
        named = [
            path(f"<uuid:key>/{name}/", self.admin_site.admin_view(view), name=f"campaigns_campaign_{name}")
            for name, view in views.items()
        ]
        words = self.admin_site.admin_view(require_POST(self.words_view))
        return [path("words/", words, name="campaigns_campaign_words"), *named]

    # --- what reaches people: asks first ---------------------------------------------------------------
    def start_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Say whom it would reach; then start it, or ask for a second pair of eyes."""
        campaign = self._campaign(request, key, _START)
        if request.method == "POST":
            return self._to_run(key, self._done(request, key, lambda: _started(request, key), back=request.path))
        if campaign.state not in {CampaignState.DRAFT, CampaignState.ENDED}:
            return redirect(_page(key))
        if _is_out(campaign):
            messages.info(request, "It is on its way.")
            return self._to_run(key, redirect(_page(key)))
        asks = checking.needs_approval(campaign)
        last = campaign.runs.order_by("-id").first() if campaign.state == CampaignState.ENDED else None
        verb = "Ask for approval" if asks else "Send again" if last else "Start"
        more = {
            "title": f"{verb}: {campaign}",
            "verb": verb,
            "asks_approval": asks,
            "after": str(last.pk) if last else "",
            "last": last,
            "last_at": on_the_wall(last.planned_for, campaign.zone) if last else "",
        }
        return self._confirm(request, campaign, more)

    def approve_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Say whom it would reach; then let it out. The same page sends it back."""
        campaign = self._campaign(request, key, _APPROVE)
        if request.method == "POST":
            return self._to_run(key, self._done(request, key, lambda: _approved(request, key), back=request.path))
        if campaign.state != CampaignState.IN_REVIEW:
            return redirect(_page(key))
        more = {"title": f"Approve: {campaign}", "verb": "Approve", "may_send_back": True}
        return self._confirm(request, campaign, more)

    def send_back_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Back to its writer, with a word on what should be changed."""
        self._campaign(request, key, _APPROVE)

        def send_back() -> str:
            reviewing.send_back(key, by=request.user, comment=request.POST.get("comment", "")[:1000])
            return "It is a draft again; the history tells its writer what you said."

        return self._done(request, key, send_back, back=reverse("admin:campaigns_campaign_approve", args=[key]))

    # --- what reaches nobody: done at once -------------------------------------------------------------
    def pause_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Let its moments pass."""
        self._campaign(request, key, _START)

        def pause() -> str:
            reviewing.pause(key, clock.now(), by=request.user)
            return "Paused: no run of it begins. A run that is on its way has a pause of its own."

        return self._done(request, key, pause)

    def resume_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Go on with the next moment."""
        self._campaign(request, key, _START)

        def resume() -> str:
            at = clock.now()
            return f"Resumed. {looking.what_next(reviewing.resume(key, at, by=request.user), at)}"

        return self._done(request, key, resume)

    def stop_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Back to a draft, which can be changed."""
        self._campaign(request, key, _START)

        def stop() -> str:
            reviewing.stop(key, clock.now(), by=request.user)
            return "It is a draft again: nothing of it goes out before it is started anew."

        return self._done(request, key, stop)

    def duplicate_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """A new draft that says the same."""
        self._campaign(request, key, "campaigns.add_campaign")
        made = copying.duplicate(key, clock.now(), by=request.user)
        messages.success(request, f"“{made}” is a draft. Give it a name of its own.")
        return redirect(_page(made.pk))

    def rehearse_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Ask for an address on each channel, and send every variant there through test accounts."""
        campaign = self._campaign(request, key)
        if not may_rehearse(request.user.has_perm):
            raise PermissionDenied
        channels, locales = rehearsing.spoken(campaign)
        to = {one: given for one in channels if (given := request.POST.get(one.value, "").strip()[:4096])}
        chosen = request.POST.get("locale", "")
        results = []
        if request.method == "POST" and to:
            locale = chosen if chosen in locales else locales[0]
            sees = request.user.has_perm(SEE)
            results = list(rehearsing.rehearse(campaign, to, locale, may_name_people=sees))
            self.log_change(request, campaign, f"Sent to themselves by {', '.join(to)}.")
        context = {
            "title": f"Send to me first: {campaign}",
            "fields": [(one, _ASKED[one], to.get(one) or _own(request, one)) for one in channels],
            "locales": locales,
            "locale": chosen,
            "results": results,
            "says_nothing": request.method == "POST" and not to,
        }
        return self._page_of(request, campaign, "admin/campaigns/campaign/rehearse.html", context)

    # --- what is only read -----------------------------------------------------------------------------
    def before_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """What is wrong, whom it reaches: a part of the campaign's page that comes after it."""
        campaign = self._campaign(request, key)
        found = checking.look_at(campaign, clock.now())
        context = {"found": found, "troubles": looking.troubles(found), "campaign": campaign, "page": _page(key)}
        return TemplateResponse(request, "admin/campaigns/campaign/before.html", context)

    def estimate_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Whom it would reach now and at what cost: the planner itself is asked."""
        campaign = self._campaign(request, key)
        context: dict[str, Any] = {"campaign": campaign}
        try:
            found = estimate(campaign, clock.now())
        except (CannotEstimate, UnusableRules) as error:
            context["says"] = str(error)
        else:
            context |= {"estimate": found, "rows": expecting.rows(found), "silenced": expecting.silenced(found)}
        return TemplateResponse(request, "admin/campaigns/campaign/estimate.html", context)

    def words_view(self, request: HttpRequest) -> HttpResponse:
        """What the schedule in an unsaved form means, and what its templates want to be given."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        told = foretold(typed(request.POST.dict()), clock.now())
        keys = [key for key in request.POST.getlist("template") if _is_uuid(key)]
        names = list(Template.objects.filter(pk__in=keys[:6]).values_list("name", flat=True))
        needs = [f"{name} needs {', '.join(paths)}." for name, paths in looking.needed(names)]
        return JsonResponse({**asdict(told), "needs": needs})

    # --- how -------------------------------------------------------------------------------------------
    def _campaign(self, request: HttpRequest, key: UUID, permission: str = "") -> Campaign:
        """The campaign, for whoever may see it and do this."""
        campaign = get_object_or_404(Campaign.objects.select_related("segment", "application"), pk=key)
        if not self.has_view_permission(request, campaign) or (permission and not request.user.has_perm(permission)):
            raise PermissionDenied
        return campaign

    def _confirm(self, request: HttpRequest, campaign: Campaign, more: dict[str, Any]) -> HttpResponse:
        at = clock.now()
        found = checking.look_at(campaign, at)
        context = {
            "found": found,
            "troubles": looking.troubles(found),
            "told": foretold(campaign, at),
            "how": looking.how(campaign, found.people),
            "seen": reviewing.fingerprint(campaign),
            "variants": campaign.variants.select_related("template").order_by("letter"),
            **more,
        }
        return self._page_of(request, campaign, _CONFIRM, context)

    def _page_of(
        self, request: HttpRequest, campaign: Campaign, template: str, context: dict[str, Any]
    ) -> TemplateResponse:
        usual = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "campaign": campaign,
            "original": campaign,
            "has_view_permission": True,
            "page": _page(campaign.pk),
        }
        return TemplateResponse(request, template, {**usual, **context})

    def _done(self, request: HttpRequest, key: UUID, do: Callable[[], str], *, back: str = "") -> HttpResponse:
        """Do it and say so; or say why not, and lead back."""
        try:
            messages.success(request, do())
        except NotReady:
            messages.error(request, "Nothing was started: see what is wrong.")
            return redirect(back or _page(key))
        except NotAllowed as error:
            messages.error(request, str(error))
            return redirect(back or _page(key))
        return redirect(_page(key))

    def _to_run(self, key: UUID, otherwise: HttpResponse) -> HttpResponse:
        """What goes out at once is watched."""
        run = Run.objects.filter(campaign_id=key, state__in=sorted(UNFINISHED)).order_by("-id").first()
        return redirect(reverse("admin:campaigns_run_change", args=[run.pk])) if run else otherwise


def _page(key: UUID) -> str:
    return reverse("admin:campaigns_campaign_change", args=[key])


def _started(request: HttpRequest, key: UUID) -> str:
    at = clock.now()
    after, seen = _posted(request, "after"), _posted(request, "seen")
    campaign = reviewing.start(key, at, by=request.user, after=after, seen=seen).campaign
    if campaign.state == CampaignState.IN_REVIEW:
        return f"“{campaign}” waits for a second pair of eyes: its category wants that."
    return f"“{campaign}” is started. {looking.what_next(campaign, at, is_out=_is_out(campaign))}"


def _approved(request: HttpRequest, key: UUID) -> str:
    at = clock.now()
    campaign = reviewing.approve(key, at, by=request.user, seen=_posted(request, "seen"))
    return f"“{campaign}” is approved. {looking.what_next(campaign, at, is_out=_is_out(campaign))}"


def _is_out(campaign: Campaign) -> bool:
    return campaign.runs.filter(state__in=sorted(UNFINISHED)).exists()


def _posted(request: HttpRequest, name: str) -> str:
    return str(request.POST.get(name, ""))


def _own(request: HttpRequest, channel: Channel) -> str:
    """An address of whoever looks at the page, until they have sent another."""
    if request.method == "POST" or channel is not Channel.EMAIL:
        return ""
    return str(getattr(request.user, "email", ""))


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
