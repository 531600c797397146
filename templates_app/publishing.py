"""draft → published → retired. A draft can be changed; what was published never is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from templates_app import catalogue, sharing
from templates_app.content import RawContent
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

    Raises `NotPublishable` when it is not a draft, says nothing in the template's default locale on a channel, or
    does not render with its own sample data.
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
    for channel in compiled.channels:
        if compiled.best_locale(channel, "", template.default_locale) is None:
            raise NotPublishable(
                f"{channel} says nothing in {template.default_locale}, the template's default locale; write it."
            )
        for locale in compiled.locales(channel) if version.sample_data else ():
            try:
                compiled.render(channel, locale, {**version.sample_data, **LINK_STAND_INS})
            except RenderError as error:
                raise NotPublishable(f"With the sample data: {error}") from None
    return compiled


def suggest_schema(version: TemplateVersion) -> None:
    """Give a draft a schema made from its texts and sample data. Raises `ContentError` or `NotPublishable`."""
    compiled = compile_content(version.content, sharing.current())
    schema = compiled.suggested_schema(version.sample_data)
    if not TemplateVersion.objects.filter(pk=version.pk, state=VersionState.DRAFT).update(schema=schema):
        raise NotPublishable("Only a draft can be changed; make a new draft of this version instead.")
    version.schema = schema
