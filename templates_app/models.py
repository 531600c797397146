"""What is said: named templates and their immutable published versions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.channels import Channel
from accounts.ids import new_id
from accounts.models import Category
from accounts.models.kinds import choices, one_of
from accounts.policies import Reach, Routing
from templates_app.language.partials import PartialKind
from templates_app.moves import VersionState

__all__ = ["STEP_TEXT", "UNSENT", "Partial", "Step", "StepKind", "Template", "TemplateVersion", "VersionState"]

#: States in which a version was never sent.
UNSENT: Final = (VersionState.DRAFT.value, VersionState.IN_REVIEW.value)


class Template(models.Model):
    """A named message. Applications ask for it by `name`; the newest published version is what they get."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.SlugField(max_length=80, unique=True, help_text="What the API calls it, for example restock.")
    title = models.CharField(max_length=120, help_text="What people call it.")
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="templates")
    default_locale = models.CharField(max_length=35, default="ko", help_text="Used where no better one is written.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    # --- the way it takes, where it is another than its category's
    routing = models.CharField(
        max_length=8,
        choices=choices(Routing),
        blank=True,
        default="",
        db_default="",
        help_text="Empty: as its category.",
    )
    routing_order = ArrayField(
        models.CharField(max_length=5, choices=choices(Channel)),
        default=list,
        blank=True,
        db_default=[],
        help_text="The channels in order, where it matters; empty: as its category.",
    )
    seen_within_days = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: as its category.")
    escalate_after = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Minutes after which the next channel is tried; empty: as its category."
    )
    reach = models.CharField(
        "devices",
        max_length=6,
        choices=choices(Reach),
        blank=True,
        default="",
        db_default="",
        help_text="Empty: as its category.",
    )

    class Meta:
        permissions = [("route_template", "Can move a template to another category, and change the way it takes")]
        constraints = [
            models.CheckConstraint(name="template_routing_known", condition=Q(routing="") | one_of("routing", Routing)),
            models.CheckConstraint(
                name="template_routing_order_known",
                condition=Q(routing_order__contained_by=[channel.value for channel in Channel]),
            ),
            models.CheckConstraint(name="template_reach_known", condition=Q(reach="") | one_of("reach", Reach)),
        ]

    def __str__(self) -> str:
        return self.name


class Partial(models.Model):
    """A part that several templates share, such as a footer or a layout. Texts bring it in by `name`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.SlugField(
        max_length=80, unique=True, help_text="What texts call it: {% render 'footer' %} or {% extends 'base' %}."
    )
    title = models.CharField(max_length=120, help_text="What people call it.")
    kind = models.CharField(
        max_length=5,
        choices={PartialKind.HTML.value: "HTML", PartialKind.PLAIN.value: "Plain text"},
        default=PartialKind.HTML.value,
        help_text="HTML is for emails' HTML alone; plain text can be used anywhere.",
    )
    texts = models.JSONField(
        help_text='Locale, text: {"ko": "…", "en": "…"}. Where a language is missing, the first one stands in.'
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.CheckConstraint(name="partial_kind_known", condition=one_of("kind", PartialKind))]

    def __str__(self) -> str:
        return self.name


class TemplateVersion(models.Model):
    """One edition of a template: its content per channel and locale."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(editable=False)
    state = models.CharField(
        max_length=9,
        choices={state.value: state.value.replace("_", " ").capitalize() for state in VersionState},
        default=VersionState.DRAFT.value,
        editable=False,
    )
    content = models.JSONField(help_text='Channel, locale, text: {"push": {"ko": {"title": "…", "body": "…"}}}.')
    sample_data = models.JSONField(default=dict, blank=True, help_text="Data for previews and tests.")
    schema = models.JSONField(
        default=dict,
        blank=True,
        db_default=models.Value({}, models.JSONField()),
        help_text="JSON Schema of the data that it takes; empty: what the texts ask for.",
    )
    partials = models.JSONField(
        default=dict,
        editable=False,
        db_default=models.Value({}, models.JSONField()),
        help_text="The partials as they were when it was published.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    published_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        permissions = [
            ("submit_templateversion", "Can give a draft to review"),
            ("approve_templateversion", "Can approve what is in review, or send it back"),
            ("publish_templateversion", "Can publish where no approval is needed"),
            ("rollback_templateversion", "Can go back to an earlier version"),
        ]
        constraints = [
            models.UniqueConstraint(name="template_version_number", fields=["template", "number"]),
            models.UniqueConstraint(
                name="template_version_one_published",
                fields=["template"],
                condition=Q(state=VersionState.PUBLISHED.value),
                violation_error_message="Another version is published; publishing this one retires it first.",
            ),
            models.CheckConstraint(
                name="template_version_state_known",
                condition=Q(state__in=[state.value for state in VersionState]),
            ),
            models.CheckConstraint(
                name="template_version_published_at",
                condition=Q(state__in=UNSENT, published_at__isnull=True)
                | (~Q(state__in=UNSENT) & Q(published_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template.name} v{self.number}"


class StepKind(StrEnum):
    """What happened to a version."""

    WRITTEN = "written"
    SUBMITTED = "submitted"
    SENT_BACK = "sent_back"
    APPROVED = "approved"
    PUBLISHED = "published"
    RETIRED = "retired"


STEP_TEXT: Final[Mapping[StepKind, str]] = {
    StepKind.WRITTEN: "written",
    StepKind.SUBMITTED: "given to review",
    StepKind.SENT_BACK: "sent back",
    StepKind.APPROVED: "approved",
    StepKind.PUBLISHED: "published",
    StepKind.RETIRED: "retired",
}


class Step(models.Model):
    """One step in the life of a version: who wrote it, who asked for review, who approved it, and when.

    `by_name` stays when the person's login is deleted.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(TemplateVersion, on_delete=models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=9, choices={kind.value: STEP_TEXT[kind] for kind in StepKind})
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    by_name = models.CharField(max_length=150, help_text="“system” where nobody was signed in.")
    at = models.DateTimeField()
    comment = models.CharField(max_length=1000, blank=True, default="")

    class Meta:
        # nobody writes a step by hand
        default_permissions = ()
        constraints = [models.CheckConstraint(name="step_kind_known", condition=one_of("kind", StepKind))]

    def __str__(self) -> str:
        return f"{STEP_TEXT[StepKind(self.kind)]} by {self.by_name}"
