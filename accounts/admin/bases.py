"""What every page of our admin is made of: Django's classes, as the Unfold theme dresses them.

To the type checker they are Django's own: Unfold says nothing of its types.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, StackedInline, TabularInline
else:
    from unfold.admin import ModelAdmin, StackedInline, TabularInline

__all__ = ["ModelAdmin", "StackedInline", "TabularInline"]
