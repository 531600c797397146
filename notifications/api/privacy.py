"""The doors for programs: forget a person, or hand out all that is held on them."""

from django.http import Http404, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import ReadersAndWriters, RecipientDetail, person_of
from accounts.authentication import Caller
from notifications import erasing
from notifications.clock import clock
from notifications.erasing import AlreadyErased
from notifications.exporting import export


class Person(RecipientDetail):
    """One person, who can be forgotten."""

    @extend_schema(operation_id="recipients_delete", responses={204: None})
    def delete(self, request: Request, external_id: str) -> Response:
        """Erase a person everywhere. What waits for them is cancelled; the log keeps counts without identity.

        Suppressed addresses stay suppressed, unreadably. A long log is done within minutes. Repeating it answers 404:
        there is nobody of this id.
        """
        caller: object = request.user
        assert isinstance(caller, Caller)
        try:
            erasing.erase(person_of(external_id), by=f"application {caller.application_name}", clock=clock.now)
        except AlreadyErased:
            raise Http404 from None
        return Response(status=204)


class PersonExport(ReadersAndWriters):
    """All that is held on one person."""

    @extend_schema(operation_id="recipients_export", responses=OpenApiTypes.OBJECT)
    def get(self, _request: Request, external_id: str) -> StreamingHttpResponse:
        """All that is held on a person. One JSON object, with a list for each table; messages with their timelines."""
        pieces = export(person_of(external_id), clock.now())
        return StreamingHttpResponse(
            pieces,
            content_type="application/json",
            headers={
                "Content-Disposition": f'attachment; filename="{external_id}.json"',
                "Cache-Control": "no-store",
            },
        )
