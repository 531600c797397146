"""Every mistake in a folder of templates that was read, with its file, line and column; nothing is changed."""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import Category
from templates_app import publishing, sharing
from templates_app.files import positions
from templates_app.files.layout import CATEGORIES, ENDINGS, PARTIALS, Entry, Part, place_of
from templates_app.files.pulling import as_columns
from templates_app.files.reading import Folder
from templates_app.language.partials import Partials
from templates_app.liquid_masks import liquids
from templates_app.mistakes import ContentError, line_and_column
from templates_app.models import Partial, Template, TemplateVersion
from templates_app.publishing import NotPublishable
from templates_app.rendering import compile_content
from templates_app.schemas import SchemaError, compile_schema

#: What _categories.json may say of a category; rules beyond these are set in the admin.
_OF_CATEGORY = (
    "name",
    "consent",
    "is_critical",
    "label",
    "needs_approval",
    "digest_minutes",
    "quiet_from",
    "quiet_until",
)
#: Mistakes told of one text: the next push tells the others.
_MOST_OF_A_TEXT = 20


def partials_with(folder: Folder) -> dict[str, Any]:
    """All partials as they will be."""
    return {**sharing.current(), **{part.name: as_partial(part) for part in folder.parts.values()}}


def as_partial(part: Part) -> dict[str, Any]:
    """A partial as texts bring it in."""
    return {"kind": part.kind, "texts": dict(part.texts)}


def categories_to_make(folder: Folder) -> list[Category]:
    """Categories that the folder names and nobody has made yet, not saved."""
    known = set(Category.objects.filter(slug__in=list(folder.categories)).values_list("slug", flat=True))
    return [
        Category(slug=slug, **said)
        for slug, said in folder.categories.items()
        if slug not in known and isinstance(said, dict) and set(said) <= set(_OF_CATEGORY)
    ]


def check(folder: Folder) -> None:
    """Add to the folder's mistakes those in its words."""
    _check_categories(folder)
    partials = partials_with(folder)
    for part in folder.parts.values():
        _check_part(part, partials, folder)
    for entry in folder.entries.values():
        before = len(folder.mistakes)
        _check_about(entry, folder)
        is_schema_right = _check_schema(entry, folder)
        for channel, locales in entry.content.items():
            for locale, said in locales.items():
                _check_text(entry, (channel, locale, said), partials, folder)
        if is_schema_right and len(folder.mistakes) == before:
            _check_whole(entry, partials, folder)
    folder.mistakes.sort()


def _check_categories(folder: Folder) -> None:
    for slug, said in folder.categories.items():
        if not isinstance(said, dict):
            folder.wrong_in(CATEGORIES, (slug,), "write an object with a name.")
        elif unknown := sorted(set(said) - set(_OF_CATEGORY)):
            folder.wrong_in(CATEGORIES, (slug, unknown[0]), f"unknown; one of {', '.join(_OF_CATEGORY)}.")
    for made in categories_to_make(folder):
        for name, message in _refused(made):
            folder.wrong_in(CATEGORIES, (made.slug, name), f"{name}: {message}")


def _refused(row: Any, *besides: str) -> Iterator[tuple[str, str]]:
    try:
        row.full_clean(exclude=besides, validate_unique=False, validate_constraints=True)
    except ValidationError as error:
        for name, messages in error.message_dict.items():
            yield name, " ".join(messages)


def _check_about(entry: Entry, folder: Folder) -> None:
    path = f"{entry.name}/template.json"
    slug = entry.about["category"]
    known = sorted({*Category.objects.values_list("slug", flat=True), *folder.categories})
    if slug not in known:
        near = difflib.get_close_matches(slug, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "make it in the admin first."
        folder.wrong_in(path, ("category",), f"there is no category {slug!r}; {hint}")
    try:
        row = Template(name=entry.name, **as_columns(entry))
        for name, message in _refused(row, "category"):
            folder.wrong_in(path, (name,), f"{name}: {message}")
    except (TypeError, ValueError) as error:
        folder.wrong(path, f"cannot be used: {error}.")


def _check_schema(entry: Entry, folder: Folder) -> bool:
    path = f"{entry.name}/schema.json"
    try:
        schema = compile_schema(dict(entry.schema))
    except SchemaError as error:
        folder.wrong_in(path, _way(error.pointer), error.message)
        return False
    for problem in schema.problems(entry.sample) if schema else ():
        sample = f"{entry.name}/sample.json"
        message = f"{problem.path or 'it'} {problem.message} It does not fit the schema."
        if sample in folder.sources:
            folder.wrong_in(sample, _way(problem.path), message)
        else:
            folder.wrong(sample, message)
    return True


def _way(path: str) -> tuple[str | int, ...]:
    """items[0].price and /properties/price as steps."""
    return tuple(int(step) if step.isdigit() else step for step in re.split(r"[./\[\]#]+", path) if step)


def _check_part(part: Part, partials: Partials, folder: Folder) -> None:
    """Text by text, so that each has its say."""
    prefix = f"{PARTIALS}/{part.name}"
    kept = Partial.objects.filter(name=part.name).first()
    if kept and kept.kind != part.kind:
        folder.wrong_in(f"{prefix}/partial.json", ("kind",), f"it is of kind {kept.kind}, which stays; name it anew.")
    for locale, text in part.texts.items():
        try:
            sharing.checked(part.name, part.kind, {locale: text}, among=partials)
        except ContentError as error:
            path = f"{prefix}/{locale}.{ENDINGS[part.kind]}"
            folder.wrong(path, error.message, error.line or 1, error.column or 1)


def _check_text(entry: Entry, text: tuple[str, str, Any], partials: Partials, folder: Folder) -> None:
    """One channel in one locale: field by field, each mistake hidden from the next look, then with the sample data."""
    channel, locale, said = text
    left, told = dict(said), set()
    for _ in range(_MOST_OF_A_TEXT):
        try:
            compile_content({channel: {locale: left}}, partials)
        except ContentError as error:
            top = error.place.field.partition(".")[0]
            _tell(entry, text, error, folder)
            if top in told or not top:
                return
            told.add(top)
            left = _without(left, top)
        else:
            break
    if told:
        return
    try:
        _try(entry, {channel: {locale: said}}, locale, partials)
    except NotPublishable as error:
        _tell_sample(entry, text, error, folder)


def _without(said: dict[str, Any], field: str) -> dict[str, Any]:
    """What can be looked at further, with a word in place of a field."""
    rest = {name: value for name, value in said.items() if name != field}
    if field in ("title", "body", "subject"):
        return {**rest, field: "x"}
    return {**rest, "text": rest.get("text") or "x"} if field in ("mjml", "html", "text") else rest


def _tell(entry: Entry, text: tuple[str, str, Any], error: ContentError, folder: Folder) -> None:
    path, way = _file(entry, text, error.place.field, folder)
    message = f"{error.place.field}: {error.message}" if way or not error.line else error.message
    if way:
        folder.wrong(path, message, *positions.inside(folder.sources[path], way, error.line, error.column))
    else:
        folder.wrong(path, message, error.line or 1, error.column or 1)


def _tell_sample(entry: Entry, text: tuple[str, str, Any], error: NotPublishable, folder: Folder) -> None:
    """Where the text asks for what the sample lacks: the first place that names it."""
    field = error.place.field if error.place else ""
    path, way = _file(entry, text, field, folder)
    source = folder.sources.get(path, "")
    start = positions.inside(source, way) if way else (1, 1)
    if error.variable:
        begin = positions.index_of(source, *start)
        name = re.compile(rf"\b{re.escape(error.variable)}\b")
        tags = (name.search(source, *tag) for tag in liquids(source) if tag[0] >= begin)
        found = next(filter(None, tags), None)
        start = line_and_column(source, found.start()) if found else start
    folder.wrong(path, str(error), *start)


def _file(entry: Entry, text: tuple[str, str, Any], field: str, folder: Folder) -> tuple[str, tuple[str | int, ...]]:
    channel, locale, said = text
    inner, way = place_of(channel, locale, field, said)
    path = f"{entry.name}/{inner}"
    if path not in folder.sources:  # what is missing has no file yet
        return path, ()
    return path, way


def _check_whole(entry: Entry, partials: Partials, folder: Folder) -> None:
    """What can only be seen of all texts together."""
    try:
        _try(entry, entry.content, entry.about["default_locale"], partials)
    except NotPublishable as error:
        folder.wrong(f"{entry.name}/template.json", str(error))


def _try(entry: Entry, content: Mapping[str, Any], default_locale: str, partials: Partials) -> None:
    version = TemplateVersion(content=content, sample_data=entry.sample, schema={}, partials=dict(partials))
    publishing.check(Template(name=entry.name, default_locale=default_locale), version)
