"""Deliveries: "why did this person (not) get that?"."""

from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import URLPattern
from django.utils.safestring import SafeString

from accounts.models import Recipient
from notifications.admin.keyset import LogAdmin, PlannedFilter
from notifications.admin.why import Why
from notifications.models import Delivery
from notifications.text_costs import cost_of
from notifications.timeline import timeline


@admin.register(Delivery)
class DeliveryAdmin(Why, LogAdmin):
    """Search by the recipient's external id, or by the id of a delivery or a notification."""

    list_display = ("id", "planned", "recipient", "channel", "queue", "state_text", "attempt")
    list_filter = (PlannedFilter, "state", "channel", "queue")
    list_select_related = ("recipient",)
    search_fields = ("id",)
    search_help_text = "A recipient's external id, or the id of a delivery or a notification."
    fields = (
        "story",
        "cost",
        "recipient",
        "notification",
        "channel",
        "queue",
        "state",
        "reason",
        "locale",
        "attempt",
        "due_at",
    )

    change_list_template = "admin/notifications/delivery/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        """The page that explains comes before the pages of deliveries."""
        return [*self.why_urls(), *super().get_urls()]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        """Each kind of search is served by an index: primary key, delivery_notification, delivery_recipient."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            identifier = UUID(term)
        except ValueError:
            people = Recipient.objects.known_as([term])
            return queryset.filter(recipient__in=list(people.values_list("id", flat=True))), False
        return queryset.filter(pk=identifier) | queryset.filter(notification_id=identifier), False

    @admin.display(description="planned")
    def planned(self, delivery: Delivery) -> str:
        """When it was planned, to the second."""
        return f"{delivery.planned_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="state")
    def state_text(self, delivery: Delivery) -> str:
        """The state, and the reason where there is one."""
        return f"{delivery.state}: {delivery.reason_text}" if delivery.reason else delivery.state

    @admin.display(description="what happened")
    def story(self, delivery: Delivery) -> SafeString:
        """The timeline, oldest first."""
        return render_to_string("admin/notifications/delivery/timeline.html", {"moments": timeline(delivery)})

    @admin.display(description="parts and cost")
    def cost(self, delivery: Delivery) -> str:
        """How many parts a text message has, and what they cost by the price list."""
        found = cost_of(delivery)
        if found is None:
            return "-"
        parts = f"{found.segments} part{'s' if found.segments > 1 else ''} ({found.alphabet})"
        return f"{parts}, {found.price} by {delivery.account}" if found.price else parts
