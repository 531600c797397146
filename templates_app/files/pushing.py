"""A folder into the database: everything is checked before anything changes, and what did not change is left alone."""

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from accounts.models import Category
from accounts.staff import audit
from accounts.staff.audit import By, Deed
from templates_app import publishing, reviewing, sharing
from templates_app.files import checking, pulling, reading
from templates_app.files.layout import Entry, Part, files_of, files_of_part
from templates_app.files.reading import Folder, Mistake
from templates_app.models import Partial, Template, TemplateVersion, VersionState
from templates_app.publishing import Draft
from templates_app.rendering import compile_content


class Mistaken(Exception):
    """The folder has mistakes, and nothing was changed."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__(f"{len(mistakes)} mistakes")
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done beyond drafts, who is said to do it, and who is told of each step.

    `only_new`: templates and partials that are there already are left alone, whatever they say.
    """

    at: datetime
    by: By = None
    publish: bool = False
    only_new: bool = False
    tell: Callable[[str], object] = lambda _line: None


@dataclass(slots=True)
class Pushed:
    """What was done. `unmentioned` are templates that the folder does not have; nothing happens to them."""

    drafts: int = 0
    published: int = 0
    in_review: int = 0
    described: int = 0
    partials: int = 0
    categories: int = 0
    same: int = 0
    unmentioned: tuple[str, ...] = ()

    @property
    def changes(self) -> int:
        """How many things are others than before."""
        return self.drafts + self.published + self.in_review + self.described + self.partials + self.categories


def checked(root: Path) -> Folder:
    """The folder, read and without a mistake. Raises `Mistaken` with every one there is."""
    folder = reading.read(root)
    checking.check(folder)
    if folder.mistakes:
        raise Mistaken(sorted(set(folder.mistakes)))
    return folder


def push(root: Path, wish: Wish) -> Pushed:
    """Bring what the folder says into the database, all or nothing. Raises `Mistaken`."""
    with transaction.atomic():
        # whoever works on one of them meanwhile waits, or is waited for
        list(Template.objects.select_for_update().order_by("pk").values_list("pk"))
        folder = checked(root)
        done = Pushed()
        for category in checking.categories_to_make(folder):
            category.save()
            audit.note(category, Deed("created", "Pushed from files.", {}, audit.snapshot(category)), wish.by)
            wish.tell(f"category {category.slug}: made")
            done.categories += 1
        changed = {part.name for part in folder.parts.values() if _keep_part(part, wish, done)}
        for entry in folder.entries.values():
            if wish.only_new and TemplateVersion.objects.filter(template__name=entry.name).exists():
                done.same += 1
                continue
            _push(entry, changed, wish, done)
        done.unmentioned = tuple(_unmentioned(folder))
        return done


def differences(root: Path) -> Iterator[str]:
    """What a push would change, as lines of a unified diff. Raises `Mistaken`."""
    folder = checked(root)
    for part in folder.parts.values():
        kept = Partial.objects.filter(name=part.name).first()
        yield from _diff(files_of_part(pulling.part_of(kept)) if kept else {}, files_of_part(part))
    for entry in folder.entries.values():
        template = Template.objects.select_related("category").filter(name=entry.name).first()
        before = _files_before(template, entry) if template else {}
        yield from _diff(before, files_of(entry))


def _files_before(template: Template, entry: Entry) -> dict[str, str]:
    version = (
        _said_by(template, entry) or pulling.latest(template, drafts=False) or pulling.latest(template, drafts=True)
    )
    if version:
        return files_of(pulling.entry_of(template, version))
    return {}


def _diff(before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    for path in sorted({**before, **after}):
        old, new = before.get(path, ""), after.get(path, "")
        yield from difflib.unified_diff(
            old.splitlines(), new.splitlines(), f"a/{path}" if old else "/dev/null", f"b/{path}", lineterm=""
        )


def _unmentioned(folder: Folder) -> Iterator[str]:
    yield from Template.objects.exclude(name__in=list(folder.entries)).order_by("name").values_list("name", flat=True)


def _keep_part(part: Part, wish: Wish, done: Pushed) -> bool:
    """Whether the partial is another than before."""
    kept = Partial.objects.filter(name=part.name).first()
    if kept and (wish.only_new or files_of_part(pulling.part_of(kept)) == files_of_part(part)):
        done.same += 1
        return False
    row = kept or Partial(name=part.name, kind=part.kind)
    before = audit.snapshot(row) if kept else {}
    row.title, row.texts = part.title, dict(part.texts)
    row.save()
    _note(row, before, wish, is_new=kept is None)
    wish.tell(f"partial {part.name}: {'changed' if kept else 'made'}")
    done.partials += 1
    return True


def _note(row: Partial | Template, before: object, wish: Wish, *, is_new: bool) -> None:
    known = before if isinstance(before, dict) else {}
    audit.note(row, Deed("created" if is_new else "changed", "Pushed from files.", known, audit.snapshot(row)), wish.by)


def _push(entry: Entry, changed: set[str], wish: Wish, done: Pushed) -> None:
    template, is_described = _described(entry, wish)
    done.described += is_described
    version = _said_by(template, entry)
    if version and changed:
        # what it brings in says something else now
        bound = compile_content(entry.content, sharing.current()).partials
        if bound & changed and version.state != VersionState.DRAFT:
            version = None
    if version is None:
        draft = Draft(entry.content, entry.sample, entry.schema)
        version = publishing.create_draft(template, draft, by=wish.by)
        done.drafts += 1
        wish.tell(f"{entry.name}: draft v{version.number}")
    elif not is_described:
        done.same += 1
    if wish.publish and version.state == VersionState.DRAFT:
        _hand_on(template, version, wish, done)


def _hand_on(template: Template, version: TemplateVersion, wish: Wish, done: Pushed) -> None:
    """Publish it, or give it to somebody who may."""
    if template.category.needs_approval:
        reviewing.submit_for_review(version, wish.at, by=wish.by, comment="Pushed from files.")
        done.in_review += 1
        wish.tell(f"{template.name}: v{version.number} waits for an approval")
    else:
        publishing.publish(version, wish.at, by=wish.by)
        done.published += 1
        wish.tell(f"{template.name}: v{version.number} published")


def _described(entry: Entry, wish: Wish) -> tuple[Template, bool]:
    """The template with what is said about it, and whether that is another than before."""
    category = Category.objects.get(slug=entry.about["category"])
    columns = {**pulling.as_columns(entry), "category": category}
    kept = Template.objects.select_related("category").filter(name=entry.name).first()
    if kept and all(getattr(kept, name) == value for name, value in columns.items()):
        return kept, False
    before = audit.snapshot(kept) if kept else {}
    template = kept or Template(name=entry.name)
    for name, value in columns.items():
        setattr(template, name, value)
    template.save()
    _note(template, before, wish, is_new=kept is None)
    wish.tell(f"{entry.name}: {'described anew' if kept else 'made'}")
    return template, True


def _said_by(template: Template, entry: Entry) -> TemplateVersion | None:
    """The version that says just what the files say: what is published, or the newest that is to be."""
    wanted = files_of(Entry(entry.name, {}, entry.content, entry.sample, entry.schema))
    for version in (pulling.latest(template, drafts=True), pulling.latest(template, drafts=False)):
        if version is None:
            continue
        said = Entry(entry.name, {}, version.content, version.sample_data or {}, version.schema or {})
        if files_of(said) == wanted:
            return version
    return None
