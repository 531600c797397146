"""The door for programs: which templates there are, and what they ask for."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import needs
from accounts.models import Scope
from templates_app import catalogue
from templates_app.catalogue import Edition
from templates_app.models import Template, VersionState


class ChannelAnswer(serializers.Serializer[Any]):
    """What a template says on one channel."""

    channel = serializers.CharField()
    locales = serializers.ListField(child=serializers.CharField())


class TemplateAnswer(serializers.Serializer[Any]):
    """A published template: its name is what POST /v1/notifications takes."""

    name = serializers.CharField()
    version = serializers.IntegerField()
    category = serializers.CharField()
    default_locale = serializers.CharField()
    channels = ChannelAnswer(many=True)
    variables = serializers.ListField(
        child=serializers.CharField(),
        help_text="What data must hold; dotted paths. With a digest_key, `items` and `count` are given.",
    )
    of_items = serializers.ListField(
        child=serializers.CharField(), help_text="What the data of each message of a digest must hold besides."
    )
    mentioned = serializers.ListField(child=serializers.CharField(), help_text="All that the text asks for.")
    sample_data = serializers.DictField()
    schema = serializers.DictField(help_text="JSON Schema (2020-12) of data; empty: what `variables` says.")


class Templates(APIView):
    """All published templates."""

    permission_classes = (needs(Scope.TEMPLATES_READ),)

    @extend_schema(operation_id="templates_list", responses=TemplateAnswer(many=True))
    def get(self, _request: Request) -> Response:
        """Every template that can be sent."""
        names = Template.objects.filter(versions__state=VersionState.PUBLISHED).order_by("name")
        found = [catalogue.published(name) for name in names.values_list("name", flat=True)]
        return Response(TemplateAnswer([_told(edition) for edition in found if edition], many=True).data)


class TemplateDetail(APIView):
    """One published template."""

    permission_classes = (needs(Scope.TEMPLATES_READ),)

    @extend_schema(operation_id="templates_retrieve", responses=TemplateAnswer)
    def get(self, _request: Request, name: str) -> Response:
        """One template. What it asks for, and in which languages it speaks."""
        edition = catalogue.published(name)
        if edition is None:
            raise Http404
        return Response(TemplateAnswer(_told(edition)).data)


def _told(edition: Edition) -> dict[str, Any]:
    content = edition.content
    return {
        "name": edition.template,
        "version": edition.number,
        "category": edition.category.slug,
        "default_locale": edition.default_locale,
        "channels": [{"channel": channel, "locales": content.locales(channel)} for channel in content.channels],
        "variables": sorted(content.variables),
        "of_items": sorted(content.asked.of_items),
        "mentioned": sorted(content.mentioned),
        "sample_data": edition.sample_data,
        "schema": edition.schema,
    }
