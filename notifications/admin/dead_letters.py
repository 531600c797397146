"""Dead letters: deliveries whose attempts are used up, and another try for them."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from notifications import recovery
from notifications.admin.keyset import LogAdmin
from notifications.clock import clock
from notifications.ledger.replay import Choice
from notifications.models import DeadLetter


@admin.register(DeadLetter)
class DeadLetterAdmin(LogAdmin):
    """The latest first; mend what made them fail, then replay."""

    list_display = ("delivery_id", "at", "queue", "account", "detail")
    list_filter = ("queue", "account")
    search_fields = ("=delivery_id", "=notification_id")
    search_help_text = "The id of a delivery or a notification."
    #: by the primary key: the latest planned first
    ordering = ("-delivery_id",)
    actions = ("replay",)  # type: ignore[assignment] # the log itself has none
    fields = ("delivery", "notification", "queue", "account", "detail", "at")

    @admin.action(description="Try again", permissions=["view"])
    def replay(self, request: HttpRequest, chosen: QuerySet[DeadLetter]) -> None:
        """Queue them again, with all their attempts before them."""
        choice = Choice(delivery_ids=tuple(chosen.values_list("delivery_id", flat=True)))
        done = recovery.replay(choice, clock=clock.now) if choice.delivery_ids else 0
        self.message_user(request, f"{done} are tried again.", messages.SUCCESS)
