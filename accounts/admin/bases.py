"""What every page of our admin is made of: Django's classes, as the Unfold theme dresses them.

To the type checker they are Django's own: Unfold says nothing of its types.
"""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, StackedInline, TabularInline
else:
    from unfold.admin import ModelAdmin, StackedInline, TabularInline

__all__ = ["ModelAdmin", "ReadOnly", "StackedInline", "TabularInline"]


class ReadOnly:
    """Mixed into pages of what is written by what happened, and never by hand: nobody adds, corrects or deletes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody writes it here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor corrects it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor takes it back."""
        return False
