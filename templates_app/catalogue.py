"""Published versions by name, cached in every process.

What a published version says never changes, so its compiled content is kept as long as the process lives. Which
version of a template is published, and how its category is set, is looked up again after `FRESH_FOR` seconds:
publishing takes effect within that time everywhere.
"""

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.channels import Channel, Platform
from accounts.models import Cap, Category
from accounts.policies import Reach, Routing, WhenCapped
from templates_app.content import Text, labelled
from templates_app.models import UNSENT, Template, TemplateVersion, VersionState
from templates_app.rendering import Compiled, compile_content
from templates_app.schemas import Problem, Schema, compile_schema

#: Seconds after which a template's published version and its category are looked up again.
FRESH_FOR: Final = 3.0
#: Entries of each kind that a process keeps.
_AT_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class CategoryFacts:
    """What rules need to know of a category, as it was when it was looked up."""

    id: UUID
    slug: str
    consent: str
    is_critical: bool
    in_doubt: str
    name: str = ""
    label: str = ""
    quiet_from: dt.time | None = None
    quiet_until: dt.time | None = None
    quiet_spread: int = 15
    routing: str = Routing.ALL.value
    routing_order: tuple[str, ...] = ()
    seen_within_days: int = 30
    escalate_after: int = 10
    reach: str = Reach.ALL.value
    when_capped: str = WhenCapped.DROP.value
    digest_minutes: int | None = None
    track_opens: bool = True
    track_clicks: bool = True
    track_texts: bool = False
    #: Those that count its messages: category or None, channel or "", how many, in how many hours.
    caps: tuple[tuple[UUID | None, str, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Edition:
    """One version of a template, ready to be rendered."""

    version_id: UUID
    template: str
    number: int
    category: CategoryFacts
    default_locale: str
    content: Compiled = field(repr=False)
    sample_data: Mapping[str, Any] = field(repr=False)
    #: JSON Schema of the data; empty where the texts alone say what they need.
    schema: Mapping[str, Any] = field(default_factory=dict, repr=False)
    compiled_schema: Schema | None = field(default=None, repr=False)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels for which it says something."""
        return self.content.channels

    def problems(self, data: Mapping[str, Any]) -> tuple[Problem, ...]:
        """Where `data` is not what the template's schema says; nothing where it has none."""
        return self.compiled_schema.problems(data) if self.compiled_schema else ()

    def render(self, channel: Channel, locale: str, data: Mapping[str, Any], platform: Platform | None = None) -> Text:
        """What is said, behind the label that the category wants before it. Raises `RenderError`."""
        return labelled(self.content.render(channel, locale, data, platform), self.category.label)

    def locale_for(self, channel: Channel, wanted: str) -> str | None:
        """The locale in which somebody who wants `wanted` is written to; None where nothing is said on `channel`."""
        return self.content.best_locale(channel, wanted, self.default_locale)


Key = TypeVar("Key")
Value = TypeVar("Value")

_by_name: dict[str, tuple[float, Edition]] = {}
_by_id: dict[UUID, tuple[float, Edition]] = {}
_compiled: dict[UUID, Compiled] = {}
_schemas: dict[UUID, Schema | None] = {}


def published(name: str) -> Edition | None:
    """The published version of the template called `name`; None when there is none."""
    now = time.monotonic()
    held = _by_name.get(name)
    if held and held[0] > now:
        return held[1]
    version = _versions().filter(template__name=name, state=VersionState.PUBLISHED).first()
    if version is None:
        _by_name.pop(name, None)
        return None
    found = _edition(version)
    _keep(_by_name, name, (now + FRESH_FOR, found))
    return found


def edition(version_id: UUID) -> Edition:
    """A version that is or was published, by its id. Raises `TemplateVersion.DoesNotExist`."""
    now = time.monotonic()
    held = _by_id.get(version_id)
    if held and held[0] > now:
        return held[1]
    found = _edition(_versions().exclude(state__in=UNSENT).get(pk=version_id))
    _keep(_by_id, version_id, (now + FRESH_FOR, found))
    return found


def forget() -> None:
    """Look everything up again. For whoever has just published something, and wants it used here at once."""
    _by_name.clear()
    _by_id.clear()


def _versions() -> QuerySet[TemplateVersion]:
    return TemplateVersion.objects.select_related("template__category")


def _edition(version: TemplateVersion) -> Edition:
    template, category = version.template, version.template.category
    content = _compiled.get(version.id)
    if content is None:
        content = compile_content(version.content, version.partials)
        _keep(_compiled, version.id, content)
    if version.id not in _schemas:
        _keep(_schemas, version.id, compile_schema(version.schema))
    return Edition(
        version_id=version.id,
        template=template.name,
        number=version.number,
        category=_on_its_way(facts_of(category), template),
        default_locale=template.default_locale,
        content=content,
        sample_data=version.sample_data,
        schema=version.schema,
        compiled_schema=_schemas[version.id],
    )


def _on_its_way(category: CategoryFacts, template: Template) -> CategoryFacts:
    """The category as it is for this template, which may want to be sent another way."""
    return replace(
        category,
        routing=template.routing or category.routing,
        routing_order=tuple(template.routing_order) or category.routing_order,
        seen_within_days=_first(template.seen_within_days, category.seen_within_days),
        escalate_after=_first(template.escalate_after, category.escalate_after),
        reach=template.reach or category.reach,
    )


def _first(wanted: int | None, usual: int) -> int:
    return usual if wanted is None else wanted


def facts_of(category: Category) -> CategoryFacts:
    """A category with its caps, as planning takes it."""
    caps = Cap.objects.filter(Q(category=category) | Q(category=None)).order_by("hours", "channel", "id")
    return CategoryFacts(
        id=category.id,
        slug=category.slug,
        consent=category.consent,
        is_critical=category.is_critical,
        in_doubt=category.in_doubt,
        name=category.name,
        label=category.label,
        quiet_from=category.quiet_from,
        quiet_until=category.quiet_until,
        quiet_spread=category.quiet_spread,
        routing=category.routing,
        routing_order=tuple(category.routing_order),
        seen_within_days=category.seen_within_days,
        escalate_after=category.escalate_after,
        reach=category.reach,
        when_capped=category.when_capped,
        digest_minutes=category.digest_minutes,
        track_opens=category.track_opens,
        track_clicks=category.track_clicks,
        track_texts=category.track_texts,
        caps=tuple((cap.category_id, cap.channel, cap.most, cap.hours) for cap in caps),
    )


def _keep(memory: dict[Key, Value], key: Key, value: Value) -> None:
    """Remember `value`; the entry that came first leaves when there are too many."""
    memory[key] = value
    if len(memory) > _AT_MOST:
        del memory[next(iter(memory))]
