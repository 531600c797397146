"""The audit log, to be read by administrators."""

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.admin.bases import ReadOnly
from accounts.admin.keyset import KeysetAdmin
from accounts.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, KeysetAdmin):
    """Who changed what, and what was before. Nobody writes here, and the database lets nobody."""

    list_display = ("at", "actor_name", "action", "model", "object_name", "detail", "changed")
    list_filter = ("action",)
    search_fields = ("=actor_name", "=object_id")
    search_help_text = "Who did it, or the id of an object, in full."
    actions = None
    fields = readonly_fields = (
        "at", "actor_name", "action", "model", "object_id", "object_name", "detail", "difference",
    )  # fmt: skip

    @admin.display(description="fields")
    def changed(self, entry: AuditEntry) -> str:
        """The names of what differs."""
        names = list({**entry.before, **entry.after})
        return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")

    @admin.display(description="before and after")
    def difference(self, entry: AuditEntry) -> SafeString | str:
        """Field by field."""
        rows = [
            (name, entry.before.get(name, "–"), entry.after.get(name, "–")) for name in {**entry.before, **entry.after}
        ]
        if not rows:
            return "–"
        return format_html(
            '<table><thead><tr><th scope="col">Field</th><th scope="col">Before</th><th scope="col">After</th></tr>'
            "</thead><tbody>{}</tbody></table>",
            format_html_join("", '<tr><th scope="row">{}</th><td>{}</td><td>{}</td></tr>', rows),
        )
