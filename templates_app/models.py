"""What is said: named templates and their immutable published versions."""

from enum import StrEnum

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.ids import new_id
from accounts.models import Category


class VersionState(StrEnum):
    """Where a version stands. Only a draft can be changed; only a published one is sent."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class Template(models.Model):
    """A named message. Applications ask for it by `name`; the newest published version is what they get."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.SlugField(max_length=80, unique=True, help_text="What the API calls it, for example restock.")
    title = models.CharField(max_length=120, help_text="What people call it.")
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="templates")
    default_locale = models.CharField(max_length=35, default="ko", help_text="Used where no better one is written.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.name


class TemplateVersion(models.Model):
    """One edition of a template: its content per channel and locale."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(editable=False)
    state = models.CharField(
        max_length=9,
        choices={state.value: state.name.capitalize() for state in VersionState},
        default=VersionState.DRAFT.value,
        editable=False,
    )
    content = models.JSONField(help_text='Channel, locale, text: {"push": {"ko": {"title": "…", "body": "…"}}}.')
    sample_data = models.JSONField(default=dict, blank=True, help_text="Data for previews and tests.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    published_at = models.DateTimeField(null=True, editable=False)

    class Meta:
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
                condition=Q(state=VersionState.DRAFT.value, published_at__isnull=True)
                | (~Q(state=VersionState.DRAFT.value) & Q(published_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template.name} v{self.number}"
