"""What an unsaved draft would say: every channel, locale and platform, and what is wrong with it. Never saves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from accounts.channels import Channel, Platform
from templates_app.content import PUSH_PAYLOAD_LIMIT, EmailText, PushText, Text, labelled, payload_size
from templates_app.gathered import completed
from templates_app.language.partials import Partials
from templates_app.models import Template
from templates_app.rendering import Compiled, ContentError, Place, RenderError, compile_content
from templates_app.variables import LINK_STAND_INS

#: Our own links by which somebody gets no more of these emails.
_WAYS_OUT: Final = frozenset({"unsubscribe_url", "preferences_url"})
#: Where a push is looked at; a browser on a desk shows what one on a phone does.
PLATFORMS: Final = (Platform.IOS, Platform.ANDROID, Platform.WEB)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to tell a writer beside the field. `line` and `column` count from 1, 0 where neither applies."""

    place: Place
    says: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """A text as somebody would read it; `platform` is where it is read, for a push."""

    channel: Channel
    locale: str
    text: Text
    platform: Platform | None = None

    @property
    def size(self) -> int:
        """Bytes of a push."""
        return payload_size(self.text) if isinstance(self.text, PushText) else 0


@dataclass(frozen=True, slots=True)
class Preview:
    """`mistakes` keep a draft from being saved or published; `warnings` are worth a thought."""

    shown: tuple[Shown, ...] = ()
    mistakes: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()
    #: For each locale, the one in which each channel speaks to it.
    coverage: Mapping[str, Mapping[Channel, str | None]] = field(default_factory=dict)


def preview(template: Template, content: object, partials: Partials, data: Mapping[str, Any]) -> Preview:
    """What `content` says with `data`, whatever state it is in: one text's mistake hides no other text."""
    compiled, mistakes = _as_far_as_it_goes(content, partials)
    if compiled is None:
        return Preview(mistakes=mistakes)
    values = {**completed(data), **LINK_STAND_INS}
    shown: list[Shown] = []
    warnings: list[Remark] = []
    for channel in compiled.channels:
        for locale in compiled.locales(channel):
            try:
                shown += _read(template, compiled, channel, locale, values)
            except RenderError as error:
                says = str(error).removeprefix(f"{error.place}: ")
                if error.variable:
                    says = f"{error.variable} is missing in the data. Add it to the sample data, or give a default."
                warnings.append(Remark(error.place, says))
    coverage = compiled.coverage(template.default_locale)
    spoiled = {(one.place.channel, one.place.locale) for one in mistakes}
    warnings += (
        one
        for one in _warnings(template, compiled, shown, coverage)
        if (one.place.channel, one.place.locale) not in spoiled  # it says nothing only because of the mistake
    )
    return Preview(tuple(shown), mistakes, tuple(warnings), coverage)


def _as_far_as_it_goes(content: object, partials: Partials) -> tuple[Compiled | None, tuple[Remark, ...]]:
    """What can be compiled, and the first mistake of each text that cannot."""
    try:
        return compile_content(content, partials), ()  # type: ignore[arg-type] # it says what is wrong with it
    except ContentError as error:
        whole = _mistake(error)
    if not isinstance(content, Mapping):
        return None, (whole,)
    mistakes: list[Remark] = []
    good: dict[str, dict[str, Any]] = {}
    for channel, texts in content.items():
        if not isinstance(texts, Mapping) or not texts:
            mistakes += _alone({channel: texts}, partials)
            continue
        for locale, said in texts.items():
            found = _alone({channel: {locale: said}}, partials)
            mistakes += found
            if not found:
                good.setdefault(channel, {})[locale] = said
    return (compile_content(good, partials) if good else None), tuple(mistakes) or (whole,)


def _alone(content: Any, partials: Partials) -> list[Remark]:
    try:
        compile_content(content, partials)
    except ContentError as error:
        return [_mistake(error)]
    return []


def _mistake(error: ContentError) -> Remark:
    return Remark(error.place, error.message, error.line, error.column)


def _read(
    template: Template, compiled: Compiled, channel: Channel, locale: str, data: Mapping[str, Any]
) -> Iterator[Shown]:
    """On every platform that a push is read on; elsewhere once."""
    for platform in PLATFORMS if channel is Channel.PUSH else (None,):
        text = compiled.render(channel, locale, data, platform)
        yield Shown(channel, locale, labelled(text, template.category.label), platform)


def _warnings(
    template: Template,
    compiled: Compiled,
    shown: list[Shown],
    coverage: Mapping[str, Mapping[Channel, str | None]],
) -> Iterator[Remark]:
    for locale in compiled.locales(Channel.PUSH):
        size = max((one.size for one in shown if one.locale == locale), default=0)
        if size > PUSH_PAYLOAD_LIMIT:
            says = f"{size:,} bytes are too many; push services take {PUSH_PAYLOAD_LIMIT:,}. Shorten it."
            yield Remark(Place(Channel.PUSH, locale), says)
    if Channel.EMAIL in compiled.channels and not template.category.is_critical:
        for one in shown:
            if isinstance(one.text, EmailText) and not _leads_out(one.text):
                says = "has no link to unsubscribe; write {{ unsubscribe_url }} or {{ preferences_url }} into it."
                yield Remark(Place(one.channel, one.locale), says)
    for locale, channels in coverage.items():
        for channel, spoken in channels.items():
            if spoken is None:
                yield Remark(Place(channel, locale), "says nothing in this locale, and nothing stands in for it.")
            elif spoken != locale:
                yield Remark(Place(channel, locale), f"is not written; {spoken} stands in for it.")


def _leads_out(text: EmailText) -> bool:
    """Whether a reader finds one of the links, in whichever of the two forms their program shows."""
    forms = [form for form in (text.html, text.text) if form]
    return all(any(LINK_STAND_INS[name] in form for name in _WAYS_OUT) for form in forms)
