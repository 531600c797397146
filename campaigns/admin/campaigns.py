"""Campaigns: the list, the form of a draft, and the page of one with what can be done with it."""

from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.bases import TabularInline
from accounts.staff import versions
from campaigns import checking, reviewing
from campaigns.admin import buttons, looking
from campaigns.admin.form import CampaignForm, VariantForm, VariantFormSet
from campaigns.admin.form_fields import asked_by, fields_of, zones
from campaigns.admin.reports import Reports
from campaigns.admin.steps import CampaignSteps
from campaigns.admin.when import foretold, on_the_wall
from campaigns.models import Campaign, Run, Variant
from campaigns.vocabulary import LETTERS, UNFINISHED, CampaignState, RunState
from notifications.clock import clock

#: The first is followed by the variants.
_FIELDSETS: Final = (
    ("What", {"fields": ("name", "application", "mode")}),
    ("What the templates are given", {"fields": ("data",)}),
    ("To whom", {"fields": ("segment", "channels", "holdout_percent")}),
    (
        "When",
        {
            "fields": (
                "schedule_kind", "crontab", ("every", "every_unit"), ("starts_wall", "ends_wall"), "zone",
                "in_local_time", ("window_from", "window_until"), "throttle_per_minute", "late_hours", "urgency",
            ),
        },
    ),
    (
        "What is tried",
        {"fields": ("split", "goal", "test_percent", ("decide_after_hours", "decide_by_hours"), "sure_percent")},
    ),
)  # fmt: skip


_STAYS: Final = "what is on its way is not changed. Stop it first; that makes it a draft again"


class VariantInline(TabularInline[Variant, Campaign]):
    """What is said, in up to six wordings."""

    model = Variant
    form = VariantForm
    formset = VariantFormSet  # type: ignore[assignment] # of forms of its own
    fields = ("template", "weight")
    max_num = len(LETTERS)
    hide_title = True  # the theme's: a letter stands beside each
    ordering = ("letter",)

    def get_extra(self, request: HttpRequest, obj: Campaign | None = None, **named: Any) -> int:
        """One to fill in, also without JavaScript; the first two at first."""
        return 1 if obj else 2

    def get_formset(self, request: HttpRequest, obj: Campaign | None = None, **named: Any) -> Any:
        """More than there are letters are refused, and not left out silently."""
        return super().get_formset(request, obj, validate_max=True, **named)

    def has_add_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        """Whoever may change the campaign."""
        return _may_write(request, obj)

    has_change_permission = has_delete_permission = has_add_permission

    def has_view_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        """Whoever sees the campaign."""
        return True


@admin.register(Campaign)
class CampaignAdmin(Reports, CampaignSteps):
    """Written as drafts; what is on its way is looked at, and stopped before it is changed."""

    form = CampaignForm
    inlines = (VariantInline,)
    fieldsets = _FIELDSETS  # type: ignore[assignment] # pairs of fields are tuples in tuples
    change_form_template = "admin/campaigns/campaign/change_form.html"
    warn_unsaved_form = True  # the theme's
    list_display = ("name", "standing", "next_run", "last_run", "segment", "says")
    list_filter = ("state", "application")
    list_select_related = ("segment",)
    search_fields = ("name",)
    ordering = ("-id",)

    def get_urls(self) -> list[URLPattern]:
        """The steps come first: Django's last takes everything."""
        return self.report_urls() + self.step_urls() + super().get_urls()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        """With the last run of each. Served by run_once."""
        last = Run.objects.filter(campaign=OuterRef("pk")).order_by("-planned_for")
        handled = last.annotate(handled=Sum("arms__people"))
        found = (
            super()
            .get_queryset(request)
            .annotate(
                last_run_id=Subquery(last.values("pk")[:1]),
                last_run_for=Subquery(last.values("planned_for")[:1]),
                last_run_state=Subquery(last.values("state")[:1]),
                last_run_people=Subquery(last.values("people")[:1]),
                last_run_handled=Subquery(handled.values("handled")[:1]),
            )
        )
        return found.prefetch_related("variants__template")

    def has_change_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        """What is on its way is not changed."""
        return super().has_change_permission(request, obj) and (obj is None or reviewing.is_editable(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        """Nor deleted; what has run stays, with its figures."""
        return super().has_delete_permission(request, obj) and (obj is None or reviewing.is_editable(obj))

    def get_fieldsets(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        """All of them while it is written; then those that say something."""
        found = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return found
        return fields_of(obj, found)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without the bulk deletion, which would take those along that are on their way."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The form, and above it where the campaign stands and what can be done."""
        campaign = self.get_object(request, object_id) if object_id else None
        if campaign and request.method == "POST" and not reviewing.is_editable(campaign):
            messages.error(request, f"Nothing was saved: it was started meanwhile, and {_STAYS}.")
            return redirect(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
        context: dict[str, Any] = {
            "zones": zones(),
            "asked_by": asked_by(),
            "show_save_and_continue": False,
            "show_save_and_add_another": False,
            **(_panel(request, campaign) if campaign else {}),
        }
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Whose idea it was is kept. What was started meanwhile, in another window, is not made a draft again."""
        if not change:
            obj.created_by_name = request.user.get_username()[:150]
        elif not reviewing.is_editable(Campaign.objects.select_for_update().get(pk=obj.pk)):
            raise PermissionDenied
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Campaign, post_url_continue: str | None = None) -> HttpResponse:
        """To its page, which says what is missing before it can start."""
        return self._to_page(request, obj, super().response_add(request, obj, post_url_continue))

    def response_change(self, request: HttpRequest, obj: Campaign) -> HttpResponse:
        """Likewise."""
        return self._to_page(request, obj, super().response_change(request, obj))

    @admin.display(description="state", ordering="state")
    def standing(self, campaign: Any) -> SafeString:
        """Where it stands."""
        is_out = campaign.last_run_state in UNFINISHED
        word, look = looking.standing(CampaignState(campaign.state), is_out=is_out)
        return format_html('<span class="bongsu-state {}">{}</span>', look, word)

    @admin.display(description="next run", ordering="next_at", empty_value="–")
    def next_run(self, campaign: Campaign) -> str | None:
        """By the clock of its zone."""
        return on_the_wall(campaign.next_at, campaign.zone) if campaign.next_at else None

    @admin.display(description="last run", empty_value="–")
    def last_run(self, campaign: Any) -> SafeString | None:
        """How far it is, and the way to it."""
        if campaign.last_run_id is None:
            return None
        page = reverse("admin:campaigns_run_change", args=[campaign.last_run_id])
        state = RunState(campaign.last_run_state)
        far = looking.in_short(state, campaign.last_run_people, campaign.last_run_handled or 0)
        return format_html(
            '<a class="bongsu-link" href="{}">{}</a>, {}', page, on_the_wall(campaign.last_run_for, campaign.zone), far
        )

    @admin.display(description="variants")
    def says(self, campaign: Campaign) -> str:
        """The templates by their letters."""
        found = sorted(campaign.variants.all(), key=lambda one: one.letter)
        return ", ".join(f"{one.letter} {one.template.name}" for one in found)

    def _to_page(self, request: HttpRequest, campaign: Campaign, usual: HttpResponse) -> HttpResponse:
        if "_popup" in request.POST or usual.status_code != 302:
            return usual
        return redirect(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))


def _may_write(request: HttpRequest, campaign: Campaign | None) -> bool:
    verb = "change" if campaign else "add"
    return request.user.has_perm(f"campaigns.{verb}_campaign") and (campaign is None or reviewing.is_editable(campaign))


def _panel(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    """What the page shows above the form."""
    at = clock.now()
    asks = checking.needs_approval(campaign)
    runs = looking.latest_runs(campaign)
    is_out = any(run.state in UNFINISHED for run in runs)
    word, look = looking.standing(CampaignState(campaign.state), is_out=is_out)
    names = [one.template.name for one in sorted(campaign.variants.all(), key=lambda one: one.letter)]
    return {
        "standing": word,
        "look": look,
        "what_next": looking.what_next(campaign, at, is_out=is_out),
        "told": foretold(campaign, at),
        "clock": campaign.clock,
        "needs": looking.needed(names),
        "buttons": buttons.of_campaign(
            campaign, request.user.has_perm, needs_approval=asks, is_out=is_out, has_run=bool(runs)
        ),
        "runs": runs,
        "is_editable": reviewing.is_editable(campaign),
        "opened": versions.version(campaign, *campaign.variants.order_by("letter")),
    }
