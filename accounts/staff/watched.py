"""What every admin page of a model does besides its own.

It notes what was changed, and links to what was noted. Those who may not see addresses save none, and no mask either.

The site gives it to every class that is registered, so that none can be forgotten: those of Django and libraries too.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.ids import new_id
from accounts.models import AuditEntry
from accounts.staff import audit
from accounts.staff.audit import By, Deed, Thing
from accounts.staff.eyes import sees
from accounts.staff.unspoilt import personal, unspoilt

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    Base = ModelAdmin[Any]
else:
    Base = object

#: Of how many objects, chosen for one action, each gets a line; the first one's tells how many there were.
_MANY: Final = 200


@contextmanager
def watching(things: Sequence[models.Model], by: By, action: str = "", detail: str = "") -> Iterator[None]:
    """Note what becomes of these objects meanwhile, unless whoever does it notes it themselves, in more words.

    With `action`, a word for what is done, there is a line though nothing of theirs differs.
    """
    since = new_id()
    before = [(Thing.of(thing), audit.snapshot(thing)) for thing in things]
    yield
    for thing, (was, old) in zip(things, before, strict=True):
        about = Thing.of(thing) if thing.pk is not None and not old else was
        new = audit.snapshot(thing)
        if (old != new or action) and not _is_noted(about, by, since):
            word = action or ("changed" if old and new else "added" if new else "deleted")
            audit.note(about, Deed(word, detail, old, new), by)


def _is_noted(about: Thing, by: By, since: Any) -> bool:
    lines = AuditEntry.objects.filter(model=about.model, object_id=about.key, id__gt=since)
    return lines.filter(actor_id=by.pk if by else None).exists()


class Watched(Base):
    """Mixed into every admin class by the site. Each method is Django's, with eyes on it."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str] | tuple[str, ...]:
        """What says something of a person is only shown to those to whom it is shown masked."""
        usual = super().get_readonly_fields(request, obj)
        return usual if obj is None or sees(request.user) else (*usual, *personal(self.model))

    def get_inline_instances(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Likewise in the rows beneath it. They are made for each request."""
        found = super().get_inline_instances(request, obj)
        if obj is not None and not sees(request.user):
            for inline in found:
                vars(inline)["readonly_fields"] = (*inline.readonly_fields, *personal(inline.model))
                vars(inline)["form"] = unspoilt(inline.form)
        return found

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:  # noqa: FBT001, FBT002 - Django's
        """One that takes no masks for what is stored."""
        if obj is not None and not sees(request.user):
            options["form"] = unspoilt(options.get("form", self.form))
        return super().get_form(request, obj, change=change, **options)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """The object itself."""
        with watching([obj], request.user):
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """What it is joined to: the groups of a user are their role."""
        with watching([form.instance], request.user):
            super().save_related(request, form, formsets, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """The rows beneath it."""
        touched = [one.instance for one in formset.forms if one.has_changed()]
        with watching(touched, request.user):
            super().save_formset(request, form, formset, change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """One that goes."""
        with watching([obj], request.user):
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Many that go."""
        with watching(list(queryset), request.user):
            super().delete_queryset(request, queryset)

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *where: Any, **named: Any
    ) -> HttpResponse | None:
        """Whatever is done from the list, with each that was chosen."""
        name = request.POST.get("action", "")
        if name == "delete_selected" or name not in self.get_actions(request):
            return super().response_action(request, queryset, *where, **named)
        is_all = request.POST.get("select_across") == "1"
        chosen = queryset if is_all else queryset.filter(pk__in=request.POST.getlist("_selected_action"))
        count = chosen.count() if is_all else len(request.POST.getlist("_selected_action"))
        detail = f"with {count} others at once" if count > _MANY else ""
        with watching(list(chosen[:_MANY]), request.user, name, detail):
            return super().response_action(request, queryset, *where, **named)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """What pages of their own say they did. Django's own list of changed fields is noted before, but for this."""
        place = request.resolver_match.url_name if request.resolver_match else ""
        if isinstance(message, str):
            audit.note(obj, Deed("did", message), request.user)
        elif (place or "").endswith("password_change"):
            audit.note(obj, Deed("changed", "a new password"), request.user)
        return super().log_change(request, obj, message)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With the way to the audit log, for those who may read it."""
        context = dict(extra_context or {})
        if request.user.has_perm("accounts.view_auditentry"):
            asked = urlencode({"model": self.model._meta.label_lower, "object_id": object_id})
            context["audit_url"] = f"{reverse('admin:accounts_auditentry_changelist')}?{asked}"
        return super().history_view(request, object_id, context)
