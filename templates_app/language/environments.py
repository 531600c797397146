"""Liquid as our texts may use it: in one locale, for plain texts or HTML, with the partials that are given."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from liquid import BoundTemplate, DictLoader, Environment, FalsyStrictUndefined, is_undefined
from liquid.exceptions import LiquidSyntaxError
from liquid.extra import BlockTag, ExtendsTag
from liquid.token import Token
from markupsafe import Markup

from templates_app.language import localised, particles
from templates_app.language.limits import Clock, WatchedTemplate, guarded, uniq
from templates_app.language.localised import Unsuitable

_CLOCK: Final = Clock()


class Plain(Environment):
    """Liquid for texts that are shown as they are."""

    loop_iteration_limit: ClassVar[int] = 10_000
    local_namespace_limit: ClassVar[int] = 200_000
    output_stream_limit: ClassVar[int] = 100_000
    is_html: ClassVar[bool] = False
    template_class = WatchedTemplate

    def __init__(self, locale: str, partials: Mapping[str, str], *, clock: Clock = _CLOCK) -> None:
        self.clock = clock
        #: Source by name. What is not among them cannot be reached.
        self.partials = dict(partials)
        self._locale = locale
        self._parsed: dict[str, BoundTemplate] = {}
        super().__init__(loader=DictLoader(self.partials), undefined=FalsyStrictUndefined, autoescape=self.is_html)

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Liquid's own, blocks of layouts, and what people need to write as their language does."""
        super().setup_tags_and_filters(extra=extra)
        self.add_tag(ExtendsTag)
        self.add_tag(BlockTag)
        self.filters |= {"uniq": uniq, "particle": _Particle(), **localised.filters(self._locale)}
        self.filters = {name: guarded(name, one) for name, one in self.filters.items()}

    def get_template(self, name: str, **more: Any) -> BoundTemplate:
        """A partial, parsed once."""
        found = self._parsed.get(name)
        if found is None:
            found = self._parsed[name] = super().get_template(name, **more)
        return found


class Long(Plain):
    """Liquid for an email's plain text, which may be as long as its HTML, of which it may be made."""

    output_stream_limit: ClassVar[int] = 1_000_000


class Html(Plain):
    """Liquid for HTML: whatever comes from data is escaped."""

    output_stream_limit: ClassVar[int] = 1_000_000
    is_html: ClassVar[bool] = True


class _Particle:
    """`{{ product_name | particle: "이/가" }}`: the word, and the form of the particle that follows it."""

    def __call__(self, word: Any, form: Any) -> str:
        if is_undefined(word):
            str(word)  # strict: says which
        text = word if isinstance(word, str) else str(word)
        if not particles.is_known(str(form)):
            raise Unsuitable(_NO_PARTICLE.format(str(form)[:20]))
        # of HTML that an author made, what follows stays HTML
        suffix = particles.fitting(text, str(form))
        return text + (Markup(suffix) if isinstance(text, Markup) else suffix)  # noqa: S704 - ours, letters alone

    def validate(self, _env: Environment, token: Token, _name: str, arguments: Sequence[Any]) -> None:
        """A mistyped particle is told where it is written, not when it is sent."""
        if len(arguments) != 1:
            raise LiquidSyntaxError('particle needs one of its forms, for example particle: "이/가"', token=token)
        written = getattr(arguments[0].value, "value", None)
        if isinstance(written, str) and not particles.is_known(written):
            raise LiquidSyntaxError(_NO_PARTICLE.format(written[:20]), token=arguments[0].token)


_NO_PARTICLE: Final = "{!r} is no particle that changes; one of " + particles.KNOWN
