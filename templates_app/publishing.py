"""A draft is written, checked and published; what was published never changes. Reviews: reviewing.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.channels import Channel
from accounts.staff import audit
from accounts.staff.audit import By, Deed
from templates_app import catalogue, sharing
from templates_app.content import PUSH_PAYLOAD_LIMIT, PushText, RawContent, payload_size
from templates_app.gathered import completed, is_given
from templates_app.language.partials import Partials, frozen
from templates_app.models import Step, StepKind, Template, TemplateVersion, VersionState
from templates_app.moves import MOVES, Move, Standing, refusal
from templates_app.rendering import Compiled, ContentError, Place, RenderError, compile_content
from templates_app.schemas import SchemaError, compile_schema
from templates_app.variables import LINK_STAND_INS


class NotPublishable(Exception):
    """The version cannot be published; the message says why and what would be right.

    `place` is the text that is to blame, and `variable` what it lacks, where that can be told.
    """

    def __init__(self, message: str, place: Place | None = None, variable: str = "") -> None:
        super().__init__(message)
        self.place = place
        self.variable = variable


class NotAllowed(NotPublishable):
    """This move is not possible, or not for this person; the message says why and what would be right."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody writes: texts, sample data, and the JSON Schema of the data, which may be empty."""

    content: RawContent
    sample_data: Mapping[str, Any] = field(default_factory=dict)
    schema: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, version: TemplateVersion) -> "Draft":
        """What somebody wrote for a version."""
        return cls(version.content, version.sample_data, version.schema)

    def compiled(self) -> Compiled:
        """Raises `ContentError` for content that cannot be compiled, and `SchemaError` for such a schema."""
        compile_schema(dict(self.schema))
        return compile_content(self.content, sharing.current())

    def columns(self) -> dict[str, Any]:
        """As a version keeps it."""
        return {
            "content": dict(self.content),
            "sample_data": dict(self.sample_data or {}),
            "schema": dict(self.schema or {}),
        }


def create_draft(template: Template, draft: Draft, *, by: By = None) -> TemplateVersion:
    """The next version of a template, to be worked on.

    Raises `ContentError` for content that cannot be compiled, and `SchemaError` for such a schema.
    """
    draft.compiled()
    with transaction.atomic():
        Template.objects.select_for_update().get(pk=template.pk)
        newest = TemplateVersion.objects.filter(template=template).aggregate(number=Max("number"))["number"] or 0
        made = TemplateVersion.objects.create(template=template, number=newest + 1, **draft.columns())
        wrote(made, timezone.now(), by, {})
        return made


def publish(version: TemplateVersion, at: datetime, *, by: By = None) -> None:
    """From now on `version` is what applications get; the one before it is retired.

    Raises `NotPublishable` when it says nothing in the template's default locale on a channel, does not render with its
    own sample data or then has a push that no service takes; `NotAllowed` when it is no draft, or wants an approval.
    """
    with transaction.atomic():
        template = locked(version)
        check(template, version)
        # what is published is what the database has, whatever the caller read before
        check(template, TemplateVersion.objects.get(pk=version.pk))
        must_be_allowed(Move.PUBLISH, template, version, by)
        go_live(template, version, at, by)
    version.refresh_from_db()


def check(template: Template, version: TemplateVersion) -> None:
    """Whether a version could be published. Raises `NotPublishable`."""
    try:
        compiled = compile_content(version.content, partials_of(version))
        schema = compile_schema(version.schema)
    except ContentError as error:
        raise NotPublishable(str(error)) from None
    except SchemaError as error:
        raise NotPublishable(f"The schema: {error}") from None
    if schema and (problems := schema.problems(version.sample_data)):
        said = "; ".join(f"{one.path or 'it'} {one.message}" for one in problems[:3])
        raise NotPublishable(f"The sample data does not fit the schema: {said}")
    if compiled.of_one and any(is_given(path) for path in compiled.mentioned):
        raise NotPublishable(
            f"{compiled.of_one[0]} tells of one message, where other texts tell of all in a digest; walk through "
            "`items` in it, or say `count`."
        )
    for channel in compiled.channels:
        if compiled.best_locale(channel, "", template.default_locale) is None:
            raise NotPublishable(
                f"{channel} says nothing in {template.default_locale}, the template's default locale; write it."
            )
        for locale in compiled.locales(channel) if version.sample_data else ():
            _try_out(compiled, channel, locale, {**completed(version.sample_data), **LINK_STAND_INS})


def _try_out(compiled: Compiled, channel: Channel, locale: str, data: Mapping[str, Any]) -> None:
    """Render what is said, on every platform that has words of its own. Raises `NotPublishable`."""
    for platform in compiled.platforms(channel, locale):
        try:
            text = compiled.render(channel, locale, data, platform)
        except RenderError as error:
            raise NotPublishable(f"With the sample data: {error}", error.place, error.variable) from None
        if isinstance(text, PushText) and (size := payload_size(text)) > PUSH_PAYLOAD_LIMIT:
            on = f" on {platform}" if platform else ""
            raise NotPublishable(
                f"With the sample data, {channel}.{locale} becomes {size} bytes{on}; push services take "
                f"{PUSH_PAYLOAD_LIMIT}. Shorten it.",
                Place(channel, locale),
            )


def partials_of(version: TemplateVersion) -> Partials:
    """The partials that a version brings in: of a draft as they are now, of any other as they were kept with it.

    A copy of an earlier version brings in what that did.
    """
    return (version.partials or sharing.current()) if version.state == VersionState.DRAFT else version.partials


def kept(version: TemplateVersion) -> dict[str, Any]:
    """The partials that a draft brings in: it keeps them when it leaves its writers' hands."""
    partials = partials_of(version)
    return frozen(partials, compile_content(version.content, partials).partials)


def standing(template: Template, version: TemplateVersion) -> Standing:
    """What the database knows of a version now, for the table of moves to decide."""
    state = TemplateVersion.objects.values_list("state", flat=True).get(pk=version.pk)
    writers = Step.objects.filter(version=version, kind=StepKind.WRITTEN.value, by__isnull=False)
    return Standing(
        VersionState(state), template.category.needs_approval, frozenset(writers.values_list("by_id", flat=True))
    )


def locked(version: TemplateVersion) -> Template:
    """The template of a version, for the rest of the transaction: whoever moves a version of it too waits here."""
    return Template.objects.select_for_update(of=("self",)).select_related("category").get(pk=version.template_id)


def must_be_allowed(move: Move, template: Template, version: TemplateVersion, by: By) -> None:
    """Raises `NotAllowed` where this move is not possible, or not for this person."""
    if why := refusal(move, standing(template, version), by.pk if by else None):
        raise NotAllowed(why)


def go_live(template: Template, version: TemplateVersion, at: datetime, by: By, *, move: Move = Move.PUBLISH) -> None:
    """Retire what is published, and publish `version`, of which was decided that it may be."""
    for old in TemplateVersion.objects.filter(template=template, state=VersionState.PUBLISHED).exclude(pk=version.pk):
        moved(old, VersionState.PUBLISHED, VersionState.RETIRED)
        took(old, StepKind.RETIRED, at, by, f"{version} took its place.")
    before = MOVES[move][0]
    more = {"partials": kept(version)} if before is VersionState.DRAFT else {}
    moved(version, before, VersionState.PUBLISHED, published_at=at, **more)
    took(version, StepKind.APPROVED if move is Move.APPROVE else StepKind.PUBLISHED, at, by)
    transaction.on_commit(catalogue.forget)


def moved(version: TemplateVersion, before: VersionState, after: VersionState, **more: Any) -> None:
    """From one state to another. Raises `NotAllowed` where somebody was faster."""
    if not TemplateVersion.objects.filter(pk=version.pk, state=before).update(state=after, **more):
        raise NotAllowed("Somebody was faster; look at it again.")


#: What each step leads from and to, as the audit log tells it.
_LEADS: Final[Mapping[StepKind, tuple[VersionState, VersionState]]] = {
    StepKind.SUBMITTED: MOVES[Move.SUBMIT],
    StepKind.SENT_BACK: MOVES[Move.SEND_BACK],
    StepKind.APPROVED: MOVES[Move.APPROVE],
    StepKind.PUBLISHED: MOVES[Move.PUBLISH],
    StepKind.RETIRED: (VersionState.PUBLISHED, VersionState.RETIRED),
}


def took(version: TemplateVersion, kind: StepKind, at: datetime, by: By, comment: str = "") -> None:
    """Note a step of a version: in its own story, and in the audit log."""
    before, after = _LEADS[kind]
    _step(version, kind, at, by, comment)
    audit.note(version, Deed(kind.value, comment, {"state": before.value}, {"state": after.value}), by)


def wrote(version: TemplateVersion, at: datetime, by: By, before: Mapping[str, Any]) -> None:
    """Note that somebody wrote, or changed, a draft: who did may not approve it. `before` is a snapshot."""
    _step(version, StepKind.WRITTEN, at, by, "")
    audit.note(version, Deed(StepKind.WRITTEN.value, before=before, after=audit.snapshot(version)), by)


def _step(version: TemplateVersion, kind: StepKind, at: datetime, by: By, comment: str) -> None:
    Step.objects.create(
        version=version,
        kind=kind.value,
        by_id=by.pk if by else None,
        by_name=by.get_username()[:150] if by else "system",
        at=at,
        comment=comment[:1000],
    )
