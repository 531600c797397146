"""What people save who see masks in place of addresses: never a mask in place of what is stored.

Forms hold two kinds of text. What says something of a person is shown to them, masked, and is no field that they could
save. What people write (campaigns, segments, templates, the settings of an account) stands in its fields as it is
stored: addresses in it are the company's own. tests/config/test_unspoilt.py holds every form to it.
"""

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.db import models

from accounts.staff.eyes import masked_text

if TYPE_CHECKING:
    Base = forms.ModelForm[Any]
else:
    Base = object

#: Fields that say something of a person, of models that have a form. A person's id and a user's name may be addresses,
#: and whoever makes a choice for somebody may write down who asked for it.
_PERSONAL: Final[Mapping[str, Collection[str]]] = {
    "accounts.recipient": ("external_id", "email", "phone", "attributes"),
    "accounts.preference": ("source",),
    "auth.user": ("username", "first_name", "last_name", "email"),
}
#: What parts the words of a text, as people write it and as JSON and links do.
_BETWEEN: Final = re.compile(r"[\s\"'<>(){}\[\],;&|=/?#:\\]+")


def personal(model: type[models.Model]) -> Collection[str]:
    """The fields of a model's forms that say something of a person."""
    return _PERSONAL.get(model._meta.label_lower, ())


def masks_in(given: str, stored: str) -> list[str]:
    """The words of `given` that are what a page shows in place of words of `stored`, and are not stored themselves."""
    if "***" not in given:
        return []
    masks = {word for word in _BETWEEN.split(masked_text(stored)) if "***" in word}
    masks -= set(_BETWEEN.split(stored))
    return [word for word in _BETWEEN.split(given) if word in masks]


class Unspoilt(Base):
    """Mixed into forms of those who see masks: what was copied from a masked page is refused, and nothing is saved."""

    def clean(self) -> dict[str, Any] | None:
        """What the form itself says, then that."""
        cleaned = super().clean()
        for name in self.changed_data:
            bound = self[name]
            if name not in self.errors and (masks := masks_in(_written(bound.data), _shown(bound))):
                self.add_error(
                    name,
                    f"“{masks[0]}” stands on your pages for what you may not see, and would be saved in its place. "
                    "Nothing was saved: open the page again, and leave those words as they stand in its fields.",
                )
        return cleaned


@cache
def unspoilt(form: type[Any]) -> type[Any]:
    """A form's class, with `Unspoilt` before it."""
    return type(form.__name__, (Unspoilt, form), {"__doc__": form.__doc__})


def _written(data: Any) -> str:
    return data if isinstance(data, str) else ""


def _shown(bound: forms.BoundField) -> str:
    """The stored value as the form shows it."""
    value = bound.field.prepare_value(bound.initial)
    return value if isinstance(value, str) else ""
