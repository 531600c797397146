"""Dead letters: deliveries whose attempts are used up, and another try for them."""

from uuid import UUID

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
    search_fields = ("delivery_id",)
    search_help_text = "The id of a delivery or a notification."
    #: by the primary key: the latest planned first
    ordering = ("-delivery_id",)
    actions = ("replay",)  # type: ignore[assignment] # the log itself has none
    fields = ("delivery", "notification", "queue", "account", "detail", "at")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter], search_term: str
    ) -> tuple[QuerySet[DeadLetter], bool]:
        """An id in full: the primary key serves it, or dead_letter_of_notification."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            identifier = UUID(term)
        except ValueError:
            return queryset.none(), False
        return queryset.filter(delivery_id=identifier) | queryset.filter(notification_id=identifier), False

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Whoever may look may not for that send."""
        return request.user.has_perm("notifications.replay_deadletter")

    @admin.action(description="Try again", permissions=["replay"])
    def replay(self, request: HttpRequest, chosen: QuerySet[DeadLetter]) -> None:
        """Queue them again, with all their attempts before them."""
        choice = Choice(delivery_ids=tuple(chosen.values_list("delivery_id", flat=True)))
        done = recovery.replay(choice, clock=clock.now) if choice.delivery_ids else 0
        self.message_user(request, f"{done} are tried again.", messages.SUCCESS)
