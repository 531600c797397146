"""Two people with the same form open: the second is told what the first has saved, and does not undo it unaware."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.db import models

from accounts.models import AuditEntry
from accounts.staff import audit

#: The name of the hidden field.
OPENED: Final = "opened"
#: Fields that a message names.
_NAMED: Final = 6


def version(*things: models.Model) -> str:
    """What the database says of these objects now, in sixteen characters, for a form to bring back."""
    said = [audit.snapshot(thing) for thing in things]
    # longer, it would be taken for a token, and masked in the page that keeps it
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:16]


def must_be_as_opened(form: forms.ModelForm[Any], beneath: Iterable[models.Model] = ()) -> None:
    """Raises `ValidationError` where the object of a form, or a row `beneath` it, was changed since it was opened.

    In the transaction that saves, so that of two at once the second finds what the first saved. The form is shown once
    more then, as a new version: whoever saves it again means to.
    """
    thing, opened = form.instance, form.data.get(OPENED, "")
    if not opened or thing._state.adding:  # noqa: SLF001 - Django's own word for "not saved yet"
        return
    rows = type(thing)._base_manager.select_for_update().filter(pk=thing.pk)  # noqa: SLF001 - every row
    if rows.exists() and version(thing, *beneath) != opened:
        raise forms.ValidationError(
            f"{_who(thing)} after you opened it. What you typed stands here still: look at what it says now in another "
            "window, and save again to put yours in its place."
        )


def _who(thing: models.Model) -> str:
    line = AuditEntry.objects.about(thing).first()
    if line is None:
        return "It was changed"
    named = ", ".join(name.replace("_", " ") for name in list({**line.before, **line.after})[:_NAMED])
    return f"{line.actor_name} changed {named or 'it'} at {line.at:%H:%M} UTC,"
