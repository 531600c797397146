"""draft → published → retired. A draft can be changed; what was published never is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts.channels import Channel
from templates_app import catalogue, sharing
from templates_app.content import PUSH_PAYLOAD_LIMIT, PushText, RawContent, payload_size
from templates_app.gathered import completed, is_given
from templates_app.language.partials import Partials, frozen
from templates_app.models import Template, TemplateVersion, VersionState
from templates_app.rendering import Compiled, ContentError, RenderError, compile_content
from templates_app.schemas import SchemaError, compile_schema
from templates_app.variables import LINK_STAND_INS


class NotPublishable(Exception):
    """The version cannot be published; the message says why and what would be right."""


def create_draft(
    template: Template,
    content: RawContent,
    *,
    sample_data: Mapping[str, Any] | None = None,
    schema: Mapping[str, Any] | None = None,
) -> TemplateVersion:
    """The next version of a template, to be worked on.

    Raises `ContentError` for content that cannot be compiled, and `SchemaError` for such a schema.
    """
    compile_content(content, sharing.current())
    compile_schema(dict(schema or {}))
    with transaction.atomic():
        Template.objects.select_for_update().get(pk=template.pk)
        newest = TemplateVersion.objects.filter(template=template).aggregate(number=Max("number"))["number"] or 0
        return TemplateVersion.objects.create(
            template=template,
            number=newest + 1,
            content=dict(content),
            sample_data=dict(sample_data or {}),
            schema=dict(schema or {}),
        )


def publish(version: TemplateVersion, at: datetime) -> None:
    """From now on `version` is what applications get; the one before it is retired.

    Raises `NotPublishable` when it is not a draft, says nothing in the template's default locale on a channel, does
    not render with its own sample data, or then has a push that no service takes.
    """
    with transaction.atomic():
        template = Template.objects.select_for_update().get(pk=version.template_id)
        partials = sharing.current()
        compiled = check(template, version, partials)
        TemplateVersion.objects.filter(template=template, state=VersionState.PUBLISHED).update(
            state=VersionState.RETIRED
        )
        changed = TemplateVersion.objects.filter(pk=version.pk, state=VersionState.DRAFT).update(
            state=VersionState.PUBLISHED, published_at=at, partials=frozen(partials, compiled.partials)
        )
        if not changed:
            raise NotPublishable("Only a draft can be published; make a new draft of this version instead.")
        transaction.on_commit(catalogue.forget)
    version.refresh_from_db()


def check(template: Template, version: TemplateVersion, partials: Partials | None = None) -> Compiled:
    """Whether a version could be published, with the partials as they are now. Raises `NotPublishable`."""
    try:
        compiled = compile_content(version.content, sharing.current() if partials is None else partials)
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
    return compiled


def _try_out(compiled: Compiled, channel: Channel, locale: str, data: Mapping[str, Any]) -> None:
    """Render what is said, on every platform that has words of its own. Raises `NotPublishable`."""
    for platform in compiled.platforms(channel, locale):
        try:
            text = compiled.render(channel, locale, data, platform)
        except RenderError as error:
            raise NotPublishable(f"With the sample data: {error}") from None
        if isinstance(text, PushText) and (size := payload_size(text)) > PUSH_PAYLOAD_LIMIT:
            on = f" on {platform}" if platform else ""
            raise NotPublishable(
                f"With the sample data, {channel}.{locale} becomes {size} bytes{on}; push services take "
                f"{PUSH_PAYLOAD_LIMIT}. Shorten it."
            )


def suggest_schema(version: TemplateVersion) -> None:
    """Give a draft a schema made from its texts and sample data. Raises `ContentError` or `NotPublishable`."""
    compiled = compile_content(version.content, sharing.current())
    gathers = bool(version.template.category.digest_minutes)
    schema = compiled.suggested_schema(version.sample_data, gathers=gathers)
    if not TemplateVersion.objects.filter(pk=version.pk, state=VersionState.DRAFT).update(schema=schema):
        raise NotPublishable("Only a draft can be changed; make a new draft of this version instead.")
    version.schema = schema
