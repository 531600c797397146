"""What the database says, as files: pulled again, nothing changes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from templates_app.files.layout import ABOUT, PARTIALS, Entry, Part, files_of, files_of_part, is_own
from templates_app.models import Partial, Template, TemplateVersion, VersionState


class CannotPull(Exception):
    """The folder cannot take what would be written; the message says why."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What was written and removed, by path, how many files were right already, and what has nothing to be pulled."""

    written: tuple[str, ...]
    removed: tuple[str, ...]
    same: int
    silent: tuple[str, ...]


def entry_of(template: Template, version: TemplateVersion) -> Entry:
    """A template and one of its versions, as files say them."""
    about = {name: getattr(template, name) for name in ABOUT if name != "category"}
    about["category"] = template.category.slug
    about["routing_order"] = list(template.routing_order)
    return Entry(template.name, about, version.content, version.sample_data or {}, version.schema or {})


def part_of(partial: Partial) -> Part:
    """A partial, as files say it."""
    return Part(partial.name, partial.title, partial.kind, partial.texts)


def latest(template: Template, *, drafts: bool) -> TemplateVersion | None:
    """The published version; with `drafts` the newest that was not retired."""
    states = (
        [VersionState.PUBLISHED, VersionState.DRAFT, VersionState.IN_REVIEW] if drafts else [VersionState.PUBLISHED]
    )
    return template.versions.filter(state__in=states).order_by("-number").first()


def pull(root: Path, *, drafts: bool = False, names: Iterable[str] = ()) -> Pulled:
    """Write templates, all or those named, and all partials. Raises `CannotPull`, before anything is written."""
    wanted = list(names)
    templates = Template.objects.select_related("category").order_by("name")
    if wanted:
        templates = templates.filter(name__in=wanted)
        if unknown := sorted(set(wanted) - {one.name for one in templates}):
            raise CannotPull(f"There is no template {', '.join(unknown)}.")
    files: dict[str, str] = {}
    silent = []
    folders = set()
    for template in templates:
        version = latest(template, drafts=drafts)
        if version is None:
            silent.append(template.name)
        else:
            files |= files_of(entry_of(template, version))
            folders.add(template.name)
    for partial in Partial.objects.order_by("name"):
        files |= files_of_part(part_of(partial))
        folders.add(f"{PARTIALS}/{partial.name}")
    _must_fit(root, files)
    return _write(root, files, folders, tuple(silent))


def _must_fit(root: Path, files: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for path in files:
        folder = path.split("/")[0] if not path.startswith(f"{PARTIALS}/") else "/".join(path.split("/")[:2])
        other = seen.setdefault(folder.lower(), folder)
        if other != folder:
            raise CannotPull(f"{other} and {folder} differ in capitals alone, which not every disk keeps apart.")
        if folder == PARTIALS:
            raise CannotPull(f"A template is called {PARTIALS}, as the folder of partials is.")
        file = root / path
        for place in (file, *file.parents):
            if place == root:
                break
            if place.is_symlink():
                raise CannotPull(f"{place} is a symbolic link; nothing is written through it.")
        if file.is_dir():
            raise CannotPull(f"{file} is a folder, where a file should be written.")


def _write(root: Path, files: Mapping[str, str], folders: set[str], silent: tuple[str, ...]) -> Pulled:
    written: list[str] = []
    for path, text in files.items():
        file, data = root / path, text.encode()
        if file.is_file() and file.read_bytes() == data:
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        written.append(path)
    removed = list(_left_over(root, files, folders))
    for path in removed:
        (root / path).unlink()
        if not any((root / path).parent.iterdir()):
            (root / path).parent.rmdir()
    return Pulled(tuple(written), tuple(removed), len(files) - len(written), silent)


def _left_over(root: Path, files: Mapping[str, str], folders: set[str]) -> Iterable[str]:
    """Files of ours in the folders that were written that say what is said no more; what else stands there stays."""
    for folder in sorted(folders):
        for file in sorted((root / folder).rglob("*")):
            path = file.relative_to(root).as_posix()
            inner = path.removeprefix(f"{folder}/")
            is_text = folder.startswith(f"{PARTIALS}/") and file.suffix in (".html", ".txt") and "/" not in inner
            if path not in files and file.is_file() and not file.is_symlink() and (is_own(inner) or is_text):
                yield path


def as_columns(entry: Entry) -> dict[str, Any]:
    """What a template's row has of it, but for its category."""
    return {name: entry.about.get(name, usual) for name, usual in ABOUT.items() if name != "category"}
