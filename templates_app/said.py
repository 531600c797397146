"""What a version says on one channel in one locale, compiled. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from liquid import BoundTemplate

from accounts.channels import Platform
from templates_app.content import Text
from templates_app.mistakes import Place, RenderError
from templates_app.push_fields import Unfit
from templates_app.variables import Asked


class Part(Protocol):
    """One compiled text."""

    place: Place
    asked: Asked

    template: BoundTemplate

    def render(self, data: Mapping[str, Any]) -> str:
        """The text with its variables filled in."""


class Said:
    """What is said in one locale: compiled parts, and what makes a text of them once they are rendered."""

    __slots__ = ("_build", "_parts", "variants")

    def __init__(
        self,
        build: Callable[..., Text] | Callable[[Mapping[str, str]], Text],
        parts: Mapping[str, Part],
        variants: Mapping[Platform, "Said"] | None = None,
    ) -> None:
        self._build = build
        self._parts = parts
        #: What platforms say instead.
        self.variants = variants or {}

    def asked(self) -> Iterator[Asked]:
        """What each part asks for, those of the platforms included."""
        yield from (part.asked for part in self._parts.values())
        for said in self.variants.values():
            yield from said.asked()

    def trees(self) -> Iterator[BoundTemplate]:
        """Each part as python-liquid reads it, those of the platforms included."""
        yield from (part.template for part in self._parts.values())
        for said in self.variants.values():
            yield from said.trees()

    def render(self, data: Mapping[str, Any]) -> Text:
        """The text with its variables filled in. Raises `RenderError`."""
        words = {name: part.render(data) for name, part in self._parts.items()}
        if isinstance(self._build, type):
            text: Text = self._build(**words)
            return text
        try:
            return self._build(words)
        except Unfit as error:
            raise RenderError(self._parts[error.field].place, str(error)) from None
