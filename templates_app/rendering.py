"""Content + data + locale → rendered text. Pure: the same in, the same out, on the tenth attempt as on the first.

Texts are Liquid (python-liquid 2). Only an email's `html` is escaped. What a text asks for and the data does not hold
is an error; a variable in an `if`, or with a `default` filter, may be missing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any, Final

from liquid import BoundTemplate
from liquid.exceptions import LiquidError, LiquidInterrupt, ResourceLimitError, UndefinedError

from accounts.channels import Channel, Platform
from accounts.locales import NotALocale, must_be_normal, stand_ins
from templates_app import emails, hyperlinks, push_fields
from templates_app.content import TEXT_OF, RawContent, Text
from templates_app.gathered import COUNT, ITEMS
from templates_app.language.environments import Html, Long, Plain
from templates_app.language.limits import Clock, OutOfTime
from templates_app.language.localised import Unsuitable
from templates_app.language.mistakes import explained, position, too_much, whose
from templates_app.language.partials import NO_PARTIALS, Partials, sources
from templates_app.language.quick import assembled, pieces
from templates_app.mistakes import ContentError, Place, RenderError
from templates_app.push_fields import Unfit
from templates_app.said import Said
from templates_app.suggesting import suggested
from templates_app.variables import LINKS, Asked, asked_by
from templates_app.watching import are_to_be_watched, watched

__all__ = ["LONGEST_SOURCE", "Compiled", "ContentError", "Place", "RenderError", "compile_content"]

#: Characters of one text's source. Gmail cuts an email at 102 KB; nobody writes more than twice that by hand.
LONGEST_SOURCE: Final = 200_000

_CLOCK: Final = Clock()
_RUNNING: Final = "a link begins with javascript:, vbscript: or data: with this data; it must lead to a page."
#: Texts that may have several lines; line breaks in all others become spaces, so that no header can be smuggled in.
_MANY_LINES: Final = frozenset({"body", "html", "text", "mjml"})
#: Texts of which something must be left with any data, besides the labels of buttons.
_NEVER_EMPTY: Final = frozenset({"title", "body", "subject"})
#: What is escaped.
_MARKUP: Final = frozenset({"html", "mjml"})
#: What can be written besides the fields of a text.
_SOURCES: Final[Mapping[Channel, tuple[str, ...]]] = {Channel.PUSH: ("overrides",), Channel.EMAIL: ("mjml",)}
#: What python-liquid lets through from its filters when data is of another kind than the text expects.
_TROUBLE: Final = (LiquidError, LiquidInterrupt, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class Compiled:
    """The content of one version, ready to be rendered. Made by `compile_content`."""

    def __init__(self, texts: Mapping[Channel, Mapping[str, Said]]) -> None:
        self._texts = texts
        asked = {
            channel: _all_asked(asked for said in locales.values() for asked in said.asked())
            for channel, locales in texts.items()
        }
        #: Texts that would tell of one message of a digest alone: channel and locale.
        self.of_one = tuple(
            Place(channel, locale)
            for channel, locales in texts.items()
            for locale, text in locales.items()
            if _all_asked(text.asked()).tells_of_one
        )
        self._links = {channel: one.mentioned & LINKS for channel, one in asked.items()}
        self._reworked = {channel for channel, one in asked.items() if one.reworked & LINKS}
        self._asked = {channel: one.without(LINKS) for channel, one in asked.items()}
        everything = _all_asked(self._asked.values())
        #: All that is asked for, whatever the channel and locale.
        self.asked = everything
        #: Dotted paths that the data must hold, whatever the channel and locale.
        self.variables = everything.required
        #: Dotted paths that some text mentions, the optional ones included.
        self.mentioned = everything.mentioned
        #: Names of the partials that its texts use.
        self.partials = everything.partials
        #: The channels for which something is said.
        self.channels = tuple(texts)

    def suggested_schema(self, sample: Mapping[str, Any], *, gathers: bool = False) -> dict[str, Any]:
        """A JSON Schema of the data, as the texts use it and the sample shows it. `gathers`: `items` is given."""
        trees = [tree for locales in self._texts.values() for said in locales.values() for tree in said.trees()]
        required = [path for path in self.variables if not path.startswith("recipient.")]
        return suggested(trees, required, sample, LINKS | ({ITEMS, COUNT} if gathers else set()))

    def asked_on(self, channel: Channel) -> Asked:
        """What the texts of one channel ask for."""
        return self._asked.get(channel, Asked())

    def links_on(self, channel: Channel) -> frozenset[str]:
        """Which of our own links the texts of one channel mention."""
        return self._links.get(channel, frozenset())

    def writes_links_as_they_are(self, channel: Channel) -> bool:
        """Whether the texts of one channel do nothing with our own links but write them."""
        return channel not in self._reworked

    def locales(self, channel: Channel) -> tuple[str, ...]:
        """The locales in which something is said on `channel`."""
        return tuple(self._texts.get(channel, ()))

    def coverage(self, default: str) -> Mapping[str, Mapping[Channel, str | None]]:
        """For every locale that is written on any channel, and the default: in which one each channel speaks to it.

        The same locale: it is written. Another: that one stands in. None: nothing is said there.
        """
        written = dict.fromkeys([default, *(one for channel in self.channels for one in self.locales(channel))])
        return {
            locale: {channel: self.best_locale(channel, locale, default) for channel in self.channels}
            for locale in written
        }

    def best_locale(self, channel: Channel, wanted: str, default: str) -> str | None:
        """The nearest locale that is written: ko-KR, then ko, then the default and its own stand-ins; None: nothing."""
        written = self._texts.get(channel, {})
        for locale in (*stand_ins(wanted), *stand_ins(default)):
            if locale in written:
                return locale
        return None

    def platforms(self, channel: Channel, locale: str) -> tuple[Platform | None, ...]:
        """For whom something of its own is said: None, which is everybody, and each platform with other words."""
        said = self._texts.get(channel, {}).get(locale)
        return (None, *said.variants) if said else ()

    def render(self, channel: Channel, locale: str, data: Mapping[str, Any], platform: Platform | None = None) -> Text:
        """What is said on `channel` in `locale`, one of `locales(channel)`, as it is for `platform`.

        Raises `RenderError` for missing or unsuitable data, and where nothing is written for that locale.
        """
        said = self._texts.get(channel, {}).get(locale)
        if said is None:
            raise RenderError(Place(channel, locale), "nothing is written for this channel and locale.")
        if said.variants and platform:
            said = said.variants.get(platform, said)
        return said.render(data)


def compile_content(raw: RawContent, partials: Partials = NO_PARTIALS, *, clock: Clock = _CLOCK) -> Compiled:
    """Check and compile stored content. Raises `ContentError` for the first thing that is wrong with it.

    `partials` are what its texts may bring in; `clock` is what their time is measured by.
    """
    given: object = raw
    if not isinstance(given, Mapping) or not raw:
        raise ContentError(Place("content"), f"write an object with at least one of {', '.join(Channel)}.")
    languages = _Languages(partials, clock)
    texts: dict[Channel, dict[str, Said]] = {}
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
        self._made: dict[tuple[str, type[Plain]], Plain] = {}

    def of(self, place: Place) -> Plain:
        """The language in which a text is written."""
        if place.field in _MARKUP:
            kind: type[Plain] = Html
        else:
            kind = Long if place.field == "text" else Plain
        key = place.locale, kind
        if key not in self._made:
            known = sources(self._partials, place.locale, is_html=kind is Html)
            if kind is Long:
                # what is made of HTML brings in what the HTML does
                marked_up = sources(self._partials, place.locale, is_html=True)
                known = {name: emails.text_of(source) for name, source in marked_up.items()} | known
            self._made[key] = kind(place.locale, known, clock=self._clock)
        return self._made[key]


def _text(channel: Channel, locale: str, said: object, languages: _Languages) -> Said:
    place = Place(channel, str(locale))
    try:
        must_be_normal(locale)
    except NotALocale as error:
        raise ContentError(place, str(error)) from None
    needed = {field.name: field.default is MISSING for field in fields(TEXT_OF[channel])}
    known = [name for name in needed if name != "own"] + list(_SOURCES.get(channel, ()))
    if not isinstance(said, Mapping):
        raise ContentError(place, f"write an object with {', '.join(known)}.")
    if unknown := sorted(set(said) - set(known)):
        raise ContentError(Place(channel, locale, str(unknown[0])), f"unknown; one of {', '.join(known)}.")
    if missing := [name for name, is_required in needed.items() if is_required and not said.get(name)]:
        raise ContentError(Place(channel, locale, missing[0]), "is missing or empty.")
    try:
        match channel:
            case Channel.PUSH if not push_fields.is_plain(said):
                return _push(locale, said, languages)
            case Channel.EMAIL:
                return _email(locale, said, languages)
            case _:
                return Said(TEXT_OF[channel], _parts(Place(channel, locale), said, languages))
    except Unfit as error:
        where = Place(channel, locale, error.field)
        raise ContentError(where, str(error), line=error.line, column=error.column) from None


def _push(locale: str, said: Mapping[str, Any], languages: _Languages) -> Said:
    """A push with more than words; what a platform says as everybody does is compiled once."""
    place = Place(Channel.PUSH, locale)
    texts, fixed = push_fields.flat({name: value for name, value in said.items() if name != "overrides"})
    common = _parts(place, texts, languages)
    variants = {}
    for platform, whole in push_fields.overrides(said).items():
        prefix = f"overrides.{platform}."
        try:
            others, own_fixed = push_fields.flat(whole)
        except Unfit as error:
            raise Unfit(prefix + error.field, str(error)) from None
        changed = {name: source for name, source in others.items() if source != texts.get(name)}
        parts = {name: part for name, part in common.items() if name in others and name not in changed}
        parts |= _parts(place, changed, languages, prefix)
        variants[platform] = Said(push_fields.builder(platform, own_fixed), parts)
    return Said(push_fields.builder(None, fixed), common, variants)


def _email(locale: str, said: Mapping[str, Any], languages: _Languages) -> Said:
    """An email; mistakes in its Liquid are told of in the words that were typed, before anything is made of them."""
    place = Place(Channel.EMAIL, locale)
    typed = _parts(place, said, languages)
    sources = emails.prepared({name: said[name] for name in typed}, locale)
    made = {name: source for name, source in sources.items() if source != said.get(name)}
    try:
        parts = _parts(place, made, languages)
    except ContentError as error:
        field = "mjml" if "mjml" in said else "html"
        raise Unfit(field, f"{error.message} Found in the {error.place.field} that was made of it.") from None
    return Said(TEXT_OF[Channel.EMAIL], {**{name: typed[name] for name in sources if name not in made}, **parts})


def _parts(place: Place, sources: Mapping[str, Any], languages: _Languages, prefix: str = "") -> dict[str, "_Part"]:
    return {
        name: _part(
            Place(place.channel, place.locale, prefix + name),
            source,
            languages,
            is_required=name in _NEVER_EMPTY or "label" in name,
        )
        for name, source in sources.items()
        if source != ""
    }


def _part(place: Place, source: object, languages: _Languages, *, is_required: bool) -> "_Part":
    if not isinstance(source, str):
        raise ContentError(place, "write a text.")
    language = languages.of(place)
    template = parsed(place, source, language)
    return _Part(place, template, parts_asked(place, template, source, language), source, is_required=is_required)


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

    __slots__ = (
        "_is_html",
        "_is_link",
        "_is_required",
        "_is_watched",
        "_limit",
        "_one_line",
        "_pieces",
        "asked",
        "place",
        "template",
    )

    def __init__(self, place: Place, template: BoundTemplate, asked: Asked, source: str, *, is_required: bool) -> None:
        self.place = place
        self.asked = asked
        self.template = template
        self._is_html = template.env.autoescape
        self._is_link = place.field.rpartition(".")[2] == "link"
        simple = pieces(template)
        #: Whether what is rendered has to be read for links that run a program.
        self._is_watched = False
        if self._is_html and simple:
            harmless = watched(simple, source)
            self._is_watched = harmless is None
            simple = harmless or simple
        elif isinstance(template.env, Html):
            partials = template.env.partials
            self._is_watched = are_to_be_watched([source, *(partials[name] for name in asked.partials)])
        self._pieces = simple
        self._limit = template.env.output_stream_limit or 0
        self._is_required = is_required
        self._one_line = place.field.rpartition(".")[2] not in _MANY_LINES

    def render(self, data: Mapping[str, Any]) -> str:
        """The text with its variables filled in. Raises `RenderError`."""
        text = self._quickly(data)
        is_watched = self._is_watched
        if text is None:
            text = self._thoroughly(data)
            is_watched = self._is_html and (is_watched or self._pieces is not None)
        link = hyperlinks.one_that_runs(text) if is_watched else text if self._is_link and hyperlinks.runs(text) else ""
        if link:
            raise RenderError(self.place, _RUNNING, link=link)
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
