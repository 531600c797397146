"""Review: a draft is given to somebody else, who approves it or sends it back; and the way back to what was before.

Every function takes the row of the template first, so that of two people at once the second finds what the first did.
Who may do what at all is a question of permissions, which the doors ask; here the approver is another than the writer.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.staff import audit
from accounts.staff.audit import By
from templates_app import diffing
from templates_app.diffing import FieldDiff
from templates_app.models import Step, StepKind, Template, TemplateVersion, VersionState
from templates_app.moves import Move, possible
from templates_app.publishing import (
    Draft,
    NotAllowed,
    NotPublishable,
    check,
    create_draft,
    go_live,
    kept,
    locked,
    moved,
    must_be_allowed,
    standing,
    took,
    wrote,
)

__all__ = [
    "NotAllowed", "NotPublishable", "RolledBack", "approve", "diff", "edit", "fingerprint", "moves_for", "roll_back",
    "send_back", "steps_of", "submit_for_review", "suggest_schema",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What going back came to: a copy of the earlier version, published or in review. `says` it to a person."""

    version: TemplateVersion
    is_published: bool
    says: str


def edit(version: TemplateVersion, draft: Draft, at: datetime, by: By) -> None:
    """Change a draft. Raises `ContentError` or `SchemaError`, and `NotAllowed` where it is no draft any more."""
    draft.compiled()
    with transaction.atomic():
        must_be_allowed(Move.EDIT, locked(version), version, by)
        before = audit.snapshot(version)
        TemplateVersion.objects.filter(pk=version.pk).update(**draft.columns())
        wrote(version, at, by, before)
    version.refresh_from_db()


def suggest_schema(version: TemplateVersion, at: datetime, by: By) -> None:
    """Give a draft a schema made from its texts and sample data. Raises what `edit` does."""
    gathers = bool(version.template.category.digest_minutes)
    draft = Draft.of(version)
    schema = Draft(draft.content).compiled().suggested_schema(draft.sample_data, gathers=gathers)
    edit(version, replace(draft, schema=schema), at, by)


def submit_for_review(version: TemplateVersion, at: datetime, *, by: By, comment: str = "") -> None:
    """Ask somebody else to look at a draft, which cannot be changed meanwhile. Raises `NotPublishable`."""
    with transaction.atomic():
        template = locked(version)
        must_be_allowed(Move.SUBMIT, template, version, by)
        version.refresh_from_db()
        check(template, version)
        moved(version, VersionState.DRAFT, VersionState.IN_REVIEW, partials=kept(version))
        took(version, StepKind.SUBMITTED, at, by, comment)
    version.refresh_from_db()


def send_back(version: TemplateVersion, at: datetime, *, by: By, comment: str) -> None:
    """From review back to its writer, who is told what to change. Raises `NotAllowed`."""
    if not comment.strip():
        raise NotAllowed("Say what should be changed.")
    with transaction.atomic():
        must_be_allowed(Move.SEND_BACK, locked(version), version, by)
        moved(version, VersionState.IN_REVIEW, VersionState.DRAFT, partials={})
        took(version, StepKind.SENT_BACK, at, by, comment.strip())
    version.refresh_from_db()


def approve(version: TemplateVersion, at: datetime, *, by: By, seen: str = "") -> None:
    """Publish what is in review. `seen` is the `fingerprint` of what the approver read, where they read it on a page.

    Raises `NotAllowed`, also where it was changed since, and `NotPublishable` where it would not work any more.
    """
    with transaction.atomic():
        template = locked(version)
        must_be_allowed(Move.APPROVE, template, version, by)
        version.refresh_from_db()
        if seen and seen != fingerprint(version):
            raise NotAllowed("It was changed since you looked at it; read it again.")
        check(template, version)
        go_live(template, version, at, by, move=Move.APPROVE)
    version.refresh_from_db()


def roll_back(version: TemplateVersion, at: datetime, *, by: By) -> RolledBack:
    """Say again what `version`, which is retired, said: as a new version, published or, where that needs an approval,
    in review. Raises `NotPublishable`.
    """
    with transaction.atomic():
        template = locked(version)
        must_be_allowed(Move.ROLL_BACK, template, version, by)
        replaced = TemplateVersion.objects.filter(template=template, state=VersionState.PUBLISHED).first()
        check(template, version)
        made = create_draft(template, Draft.of(version), by=by)
        made.partials = version.partials
        made.save(update_fields=["partials"])
        if template.category.needs_approval:
            submit_for_review(made, at, by=by, comment=f"Back to what v{version.number} says.")
            says = f"v{made.number}, a copy of v{version.number}, waits for an approval."
        else:
            go_live(template, made, at, by)
            says = f"v{made.number}, a copy of v{version.number}, is published."
            if replaced:
                says += f" v{replaced.number} is retired."
    made.refresh_from_db()
    return RolledBack(made, made.state == VersionState.PUBLISHED, f"{template.name}: {says}")


def diff(before: TemplateVersion, after: TemplateVersion) -> Sequence[FieldDiff]:
    """Field by field what changed from one version to another; what changed comes first."""
    return diffing.diff(before.content, after.content, samples=(_beside(before), _beside(after)))


def _beside(version: TemplateVersion) -> dict[str, Any]:
    """What else a version has that its writer wrote."""
    return {**(version.sample_data or {}), **({"JSON Schema": version.schema} if version.schema else {})}


def fingerprint(version: TemplateVersion) -> str:
    """What a version says, in a few characters: a page keeps it, so that nobody approves what they have not read."""
    text = json.dumps(
        [version.content, version.sample_data, version.schema, version.partials], sort_keys=True, ensure_ascii=False
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def moves_for(version: TemplateVersion, by: By) -> frozenset[Move]:
    """What somebody could do with a version now, if they have the permission."""
    template = Template.objects.select_related("category").get(pk=version.template_id)
    return possible(standing(template, version), by.pk if by else None)


def steps_of(version: TemplateVersion) -> Sequence[Step]:
    """Who wrote it, asked for review, sent it back, approved it: the oldest first."""
    return list(version.steps.order_by("at", "id"))
