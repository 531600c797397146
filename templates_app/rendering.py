"""Content + data + locale → rendered text. Pure: the same in, the same out, on the tenth attempt as on the first.

Texts are Liquid (python-liquid 2). Only an email's `html` is escaped. What a text asks for and the data does not hold
is an error; a variable in an `if`, or with a `default` filter, may be missing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, Final

from liquid import BoundTemplate
from liquid.exceptions import LiquidError, LiquidInterrupt, ResourceLimitError, UndefinedError

from accounts.channels import Channel
from accounts.locales import NotALocale, normal, stand_ins
from templates_app.content import TEXT_OF, EmailText, RawContent, Text
from templates_app.language.environments import Plain, environment
from templates_app.language.limits import Clock, OutOfTime
from templates_app.language.localised import Unsuitable
from templates_app.language.mistakes import explained, position, too_much, whose
from templates_app.language.partials import NO_PARTIALS, Partials, sources
from templates_app.language.quick import assembled, pieces
from templates_app.suggesting import suggested
from templates_app.variables import LINKS, Asked, asked_by

#: Characters of one text's source. Gmail cuts an email at 102 KB; nobody writes more than twice that by hand.
LONGEST_SOURCE: Final = 200_000

_CLOCK: Final = Clock()
#: Texts that may have several lines; line breaks in all others become spaces, so that no header can be smuggled in.
_MANY_LINES: Final = frozenset({"body", "html", "text"})
#: What python-liquid lets through from its filters when data is of another kind than the text expects.
_TROUBLE: Final = (LiquidError, LiquidInterrupt, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Place:
    """Which text: push.ko.body."""

    channel: str
    locale: str = ""
    field: str = ""

    def __str__(self) -> str:
        return ".".join(part for part in (self.channel, self.locale, self.field) if part)


class ContentError(Exception):
    """The content cannot be used. `line` and `column` count from 1 inside that text; 0 where neither applies."""

    def __init__(self, place: Place, message: str, *, line: int = 0, column: int = 0) -> None:
        where = f" (line {line}, column {column})" if line else ""
        super().__init__(f"{place}{where}: {message}")
        self.place = place
        self.message = message
        self.line = line
        self.column = column


class RenderError(Exception):
    """The content says nothing sensible with this data. `variable` is what is missing, if that is the reason."""

    def __init__(self, place: Place, message: str, *, variable: str = "") -> None:
        super().__init__(f"{place}: {message}")
        self.place = place
        self.variable = variable


class Compiled:
    """The content of one version, ready to be rendered. Made by `compile_content`."""

    def __init__(self, texts: Mapping[Channel, Mapping[str, Mapping[str, "_Part"]]]) -> None:
        self._texts = texts
        asked = {
            channel: _all_asked(part.asked for text in locales.values() for part in text.values())
            for channel, locales in texts.items()
        }
        self._links = {channel: one.mentioned & LINKS for channel, one in asked.items()}
        self._asked = {
            channel: replace(one, required=one.required - LINKS, mentioned=one.mentioned - LINKS)
            for channel, one in asked.items()
        }
        everything = _all_asked(self._asked.values())
        #: Dotted paths that the data must hold, whatever the channel and locale.
        self.variables = everything.required
        #: Dotted paths that some text mentions, the optional ones included.
        self.mentioned = everything.mentioned
        #: Names of the partials that its texts use.
        self.partials = everything.partials
        #: The channels for which something is said.
        self.channels = tuple(texts)

    def suggested_schema(self, sample: Mapping[str, Any]) -> dict[str, Any]:
        """A JSON Schema of the data, as the texts use it and the sample shows it."""
        parts = [part for locales in self._texts.values() for text in locales.values() for part in text.values()]
        required = [path for path in self.variables if not path.startswith("recipient.")]
        return suggested([part.template for part in parts], required, sample, LINKS)

    def asked_on(self, channel: Channel) -> Asked:
        """What the texts of one channel ask for."""
        return self._asked.get(channel, Asked())

    def links_on(self, channel: Channel) -> frozenset[str]:
        """Which of our own links the texts of one channel mention."""
        return self._links.get(channel, frozenset())

    def locales(self, channel: Channel) -> tuple[str, ...]:
        """The locales in which something is said on `channel`."""
        return tuple(self._texts.get(channel, ()))

    def best_locale(self, channel: Channel, wanted: str, default: str) -> str | None:
        """The nearest locale that is written: ko-KR, then ko, then the default and its own stand-ins; None: nothing."""
        written = self._texts.get(channel, {})
        for locale in (*stand_ins(wanted), *stand_ins(default)):
            if locale in written:
                return locale
        return None

    def render(self, channel: Channel, locale: str, data: Mapping[str, Any]) -> Text:
        """What is said on `channel` in `locale`, one of `locales(channel)`.

        Raises `RenderError` for missing or unsuitable data, and where nothing is written for that locale.
        """
        text = self._texts.get(channel, {}).get(locale)
        if text is None:
            raise RenderError(Place(channel, locale), "nothing is written for this channel and locale.")
        return TEXT_OF[channel](**{name: part.render(data) for name, part in text.items()})


def compile_content(raw: RawContent, partials: Partials = NO_PARTIALS, *, clock: Clock = _CLOCK) -> Compiled:
    """Check and compile stored content. Raises `ContentError` for the first thing that is wrong with it.

    `partials` are what its texts may bring in; `clock` is what their time is measured by.
    """
    given: object = raw
    if not isinstance(given, Mapping) or not raw:
        raise ContentError(Place("content"), f"write an object with at least one of {', '.join(Channel)}.")
    languages = _Languages(partials, clock)
    texts: dict[Channel, dict[str, dict[str, _Part]]] = {}
    for name, locales in raw.items():
        if name not in TEXT_OF:
            raise ContentError(Place(str(name)), f"unknown channel; one of {', '.join(Channel)}.")
        said: object = locales
        if not isinstance(said, Mapping) or not locales:
            raise ContentError(Place(name), 'write an object with a text per locale: {"ko": {…}}.')
        channel = Channel(name)
        texts[channel] = {locale: _text(channel, locale, said, languages) for locale, said in locales.items()}
    return Compiled({channel: texts[channel] for channel in Channel if channel in texts})


class _Languages:
    """Liquid for each locale, made when it is first needed."""

    def __init__(self, partials: Partials, clock: Clock) -> None:
        self._partials = partials
        self._clock = clock
        self._made: dict[tuple[str, bool], Plain] = {}

    def of(self, locale: str, *, is_html: bool) -> Plain:
        key = locale, is_html
        if key not in self._made:
            known = sources(self._partials, locale, is_html=is_html)
            self._made[key] = environment(locale, known, is_html=is_html, clock=self._clock)
        return self._made[key]


def _text(channel: Channel, locale: str, said: object, languages: _Languages) -> dict[str, "_Part"]:
    place = Place(channel, str(locale))
    try:
        if normal(locale) != locale:
            raise ContentError(place, f"write the locale as {normal(locale)}.")
    except NotALocale as error:
        raise ContentError(place, str(error)) from None
    known = {field.name: field.default is MISSING for field in fields(TEXT_OF[channel])}
    if not isinstance(said, Mapping):
        raise ContentError(place, f"write an object with {', '.join(known)}.")
    if unknown := sorted(set(said) - set(known)):
        raise ContentError(Place(channel, locale, str(unknown[0])), f"unknown; one of {', '.join(known)}.")
    if missing := [name for name, is_required in known.items() if is_required and not said.get(name)]:
        raise ContentError(Place(channel, locale, missing[0]), "is missing or empty.")
    if TEXT_OF[channel] is EmailText and not (said.get("html") or said.get("text")):
        raise ContentError(place, "an email needs html or text, better both.")
    return {
        name: _part(Place(channel, locale, name), source, languages, is_required=known[name])
        for name, source in said.items()
        if source != ""
    }


def _part(place: Place, source: object, languages: _Languages, *, is_required: bool) -> "_Part":
    if not isinstance(source, str):
        raise ContentError(place, "write a text.")
    language = languages.of(place.locale, is_html=place.field == "html")
    template = parsed(place, source, language)
    return _Part(place, template, parts_asked(place, template, source, language), is_required=is_required)


def parts_asked(place: Place, template: BoundTemplate, source: str, language: Plain) -> Asked:
    """What a text and all that it brings in ask for. Raises `ContentError` for what cannot be done there."""
    try:
        return asked_by(template)
    except LiquidError as error:
        raise _mistaken(place, error, source, language) from None
    except RecursionError:
        raise ContentError(place, "nested too deeply.") from None


def parsed(place: Place, source: str, language: Plain) -> BoundTemplate:
    """A text as python-liquid reads it. Raises `ContentError`."""
    if len(source) > LONGEST_SOURCE:
        raise ContentError(place, f"{len(source)} characters are too many; at most {LONGEST_SOURCE}.")
    if "\0" in source:
        raise ContentError(place, "contains a NUL character; remove it.")
    if mistake := too_much(source):
        raise ContentError(place, f"{mistake.message}.", line=mistake.line, column=mistake.column)
    try:
        return language.from_string(source)
    except LiquidError as error:
        raise _mistaken(place, error, source, language) from None
    except RecursionError:
        raise ContentError(place, "nested too deeply.") from None


def _mistaken(place: Place, error: LiquidError, source: str, language: Plain) -> ContentError:
    mistake = explained(error, source, language, language.partials)
    return ContentError(place, f"{mistake.message}.", line=mistake.line, column=mistake.column)


class _Part:
    """One compiled text. Most are words and variables only; those are put together without python-liquid."""

    __slots__ = ("_is_html", "_is_required", "_limit", "_one_line", "_pieces", "asked", "place", "template")

    def __init__(self, place: Place, template: BoundTemplate, asked: Asked, *, is_required: bool) -> None:
        self.place = place
        self.asked = asked
        self.template = template
        self._pieces = pieces(template)
        self._is_html = template.env.autoescape
        self._limit = template.env.output_stream_limit or 0
        self._is_required = is_required
        self._one_line = place.field not in _MANY_LINES

    def render(self, data: Mapping[str, Any]) -> str:
        """The text with its variables filled in. Raises `RenderError`."""
        text = self._quickly(data)
        if text is None:
            text = self._thoroughly(data)
        if "\0" in text:
            raise RenderError(self.place, "the data puts a NUL character here; remove it.")
        if self._one_line and text.splitlines() != [text]:
            text = " ".join(text.split())
        if self._is_required and not text.strip():
            raise RenderError(self.place, "nothing is left of this text with this data.")
        return text

    def _quickly(self, data: Mapping[str, Any]) -> str | None:
        """The common case. None where python-liquid has to look."""
        if self._pieces is None:
            return None
        text = assembled(self._pieces, data, is_html=self._is_html)
        # Counted in characters, at most four bytes each: near the limit python-liquid counts precisely. It also writes
        # every line break as \n.
        return text if text is not None and len(text) * 4 < self._limit and "\r" not in text else None

    def _thoroughly(self, data: Mapping[str, Any]) -> str:
        try:
            return self._in_time(data)
        except UndefinedError as error:
            variable = str(error.message).partition(" is undefined")[0].strip("'")
            raise RenderError(self.place, f"{variable} is missing in the data.", variable=variable) from None
        except OutOfTime:
            raise RenderError(self.place, "the text takes too long with this data.") from None
        except ResourceLimitError:
            raise RenderError(self.place, "the text becomes too long, or loops too often, with this data.") from None
        except RecursionError:
            raise RenderError(self.place, "the data is nested too deeply.") from None
        except _TROUBLE as error:
            raise RenderError(self.place, self._unsuitable(error)) from None

    def _in_time(self, data: Mapping[str, Any]) -> str:
        """Once more where it took too long: the first time may have found caches empty, or the collector at work."""
        try:
            return self.template.render(data)
        except OutOfTime:
            return self.template.render(data)

    def _unsuitable(self, error: BaseException) -> str:
        token = getattr(error, "token", None)
        line, column = position(token)
        language = self.template.env
        partial = whose(token, str(token.source), language.partials) if token and isinstance(language, Plain) else ""
        where = f" at line {line}, column {column}" if line else ""
        inside = f" of the partial {partial!r}" if partial else ""
        why = f": {error.message}" if isinstance(error, Unsuitable) else ""
        return f"the text cannot use this data{where}{inside}{why}."


def _all_asked(asked: Iterable[Asked]) -> Asked:
    total = Asked()
    for one in asked:
        total |= one
    return total
