"""Words of a page by a name that is only known when it is shown."""

from collections.abc import Mapping

from django import template

register = template.Library()


@register.filter
def word(text: Mapping[str, str], name: str) -> str:
    """What a language calls it; the name itself where it has no word."""
    return text.get(name, name)
