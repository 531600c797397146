"""The doors for programs: segments, and whom some rules mean."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import needs
from accounts.models import Scope
from accounts.strict import Strict
from campaigns.models import Segment, Upload
from campaigns.segments import looking, saving
from campaigns.segments.compiling import UnusableRules
from notifications.api.paging import NewestFirst, PageAnswer, PageQuery
from notifications.clock import clock


class Conflict(APIException):
    """Somebody uses the segment."""

    status_code = status.HTTP_409_CONFLICT


class SegmentsQuery(PageQuery):
    """Which segments."""

    name = serializers.CharField(max_length=100, required=False, help_text="How their names begin.")


class SegmentRequest(Strict):
    """A name, and rules as in docs/how-to/choose-an-audience.md; no rules are everybody."""

    name = serializers.CharField(max_length=100)
    rules = serializers.JSONField(required=False, help_text="A tree of rules; {} is everybody.")


class RulesRequest(Strict):
    """Rules that are looked at before they are saved."""

    rules = serializers.JSONField(help_text="A tree of rules; {} is everybody.")


class SegmentAnswer(serializers.ModelSerializer[Segment]):
    """A segment. Who is in it is worked out anew each time it is used."""

    kind = serializers.CharField(read_only=True, help_text="rules, or list: whoever was in a file.")

    class Meta:
        model = Segment
        fields = ("id", "name", "kind", "rules", "created_at", "changed_at")


class FaultAnswer(serializers.Serializer[Any]):
    """What is wrong with a line of a file, counted from 1."""

    line = serializers.IntegerField()
    reason = serializers.CharField()


class UploadAnswer(serializers.ModelSerializer[Upload]):
    """A file for a list. Until it is taken the list is as it was, and then it is all of the new one."""

    state = serializers.CharField(
        help_text="reading: the list is as it was. taken: whom it names is on it. refused: because of faults."
    )
    mode = serializers.CharField(help_text="add, or replace.")
    line = serializers.IntegerField(help_text="The last line that is read, of `total`.")
    percent = serializers.IntegerField()
    unknown = serializers.IntegerField(help_text="Lines that name somebody who is unknown here, and not on the list.")
    fault_count = serializers.IntegerField(source="bad")
    faults = FaultAnswer(many=True, help_text="The first of them.")

    class Meta:
        model = Upload
        fields = (
            "id", "state", "mode", "created_at", "finished_at", "line", "total", "percent", "added", "unknown",
            "fault_count", "faults",
        )  # fmt: skip


class SegmentsAnswer(PageAnswer):
    """A page of segments."""

    results = SegmentAnswer(many=True)


class SegmentDetailAnswer(SegmentAnswer):
    """With how many are in it now, who uses it, and its latest file."""

    people = serializers.SerializerMethodField()
    upload = serializers.SerializerMethodField()
    used_by = serializers.SerializerMethodField()

    class Meta(SegmentAnswer.Meta):
        fields = (*SegmentAnswer.Meta.fields, "people", "used_by", "upload")  # type: ignore[assignment] # three more

    def get_people(self, segment: Segment) -> int | None:
        """Now. Null where that cannot be told: what its rules name is gone, or to count them takes too long."""
        try:
            return looking.look_into(segment, clock.now()).people
        except UnusableRules:
            return None

    @extend_schema_field(UploadAnswer(allow_null=True))
    def get_upload(self, segment: Segment) -> Any:
        """The latest file for a list, for a day. Null where there is none."""
        latest = Upload.objects.filter(segment=segment).order_by("-id").first()
        return UploadAnswer(latest).data if latest else None

    def get_used_by(self, segment: Segment) -> list[str]:
        """The names of its campaigns."""
        return list(looking.used_by(segment).campaigns)


class PreviewAnswer(serializers.Serializer[Any]):
    """Whom rules mean now: how many, and the external ids of ten of them."""

    people = serializers.IntegerField()
    sample = serializers.ListField(child=serializers.CharField())


class _ReadersAndWriters(APIView):
    """Reading and writing have scopes of their own."""

    def get_permissions(self) -> list[BasePermission]:
        """What this method asks for."""
        reads = self.request.method in SAFE_METHODS
        return [needs(Scope.CAMPAIGNS_READ if reads else Scope.CAMPAIGNS_WRITE)()]


class Segments(_ReadersAndWriters):
    """All segments; they are everybody's, as recipients are."""

    @extend_schema(operation_id="segments_list", parameters=[SegmentsQuery], responses=SegmentsAnswer)
    def get(self, request: Request) -> Response:
        """The segments, the newest first. `next` is the address of the next page."""
        asked = SegmentsQuery(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        found = Segment.objects.all()
        if name := asked.validated_data.get("name"):
            found = found.filter(name__startswith=name)
        pages = NewestFirst()
        page = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response(SegmentAnswer(page, many=True).data)

    @extend_schema(operation_id="segments_create", request=SegmentRequest, responses={201: SegmentAnswer})
    def post(self, request: Request) -> Response:
        """Save rules under a name. Lists of people are made in the admin, from a file."""
        given = _given(SegmentRequest(data=request.data))
        try:
            made = saving.create(given["name"], given.get("rules", {}), clock.now())
        except (UnusableRules, saving.NameTaken) as error:
            raise _refused(error) from None
        return Response(SegmentAnswer(made).data, status=status.HTTP_201_CREATED)


class SegmentDetail(_ReadersAndWriters):
    """One segment."""

    @extend_schema(operation_id="segments_retrieve", responses=SegmentDetailAnswer)
    def get(self, _request: Request, segment_id: UUID) -> Response:
        """A segment, how many are in it now, and which campaigns are for it."""
        return Response(SegmentDetailAnswer(_found(segment_id)).data)

    @extend_schema(operation_id="segments_put", request=SegmentRequest, responses=SegmentAnswer)
    def put(self, request: Request, segment_id: UUID) -> Response:
        """Another name, and other rules where some are given. Campaigns that begin later go to whom they mean then."""
        given = _given(SegmentRequest(data=request.data))
        with transaction.atomic():
            segment = _found(segment_id, for_update=True)
            try:
                changed = saving.change(segment, given["name"], given.get("rules"), clock.now())
            except (UnusableRules, saving.NameTaken, saving.NotRules) as error:
                raise _refused(error) from None
        return Response(SegmentAnswer(changed).data)

    @extend_schema(operation_id="segments_delete", responses={204: None})
    def delete(self, _request: Request, segment_id: UUID) -> Response:
        """Delete a segment that nobody uses; 409 says who does."""
        try:
            saving.delete(_found(segment_id))
        except saving.InUse as error:
            raise Conflict(str(error)) from None
        return Response(status=status.HTTP_204_NO_CONTENT)


class SegmentPreview(APIView):
    """Rules that nobody has saved."""

    permission_classes = (needs(Scope.CAMPAIGNS_WRITE),)

    @extend_schema(operation_id="segments_preview", request=RulesRequest, responses=PreviewAnswer)
    def post(self, request: Request) -> Response:
        """How many people rules mean now, and who some of them are. Saves nothing."""
        given = _given(RulesRequest(data=request.data))
        try:
            seen = looking.look(given["rules"], clock.now())
        except UnusableRules as error:
            raise _refused(error) from None
        return Response({"people": seen.people, "sample": [one.external_id for one in seen.some]})


def _given(asked: Strict) -> Any:
    asked.is_valid(raise_exception=True)
    return asked.validated_data


def _found(segment_id: UUID, *, for_update: bool = False) -> Segment:
    known = Segment.objects.select_for_update() if for_update else Segment.objects.all()
    segment = known.filter(pk=segment_id).first()
    if segment is None:
        raise Http404
    return segment


def _refused(error: Exception) -> ValidationError:
    match error:
        case UnusableRules(place=place, says=says):
            return ValidationError({f"rules.{place}" if place else "rules": says})
        case saving.NotRules():
            return ValidationError(
                {"rules": "This segment is a list; who is on it is changed by a file. Leave them out."}
            )
        case _:
            return ValidationError({"name": "Another segment has this name; choose another."})
