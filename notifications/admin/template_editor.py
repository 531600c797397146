"""The editor of a template version: what a draft would say while it is written, and a test of it to oneself.

It stands here, above the templates, because parts, prices and provider accounts do. Neither a preview nor a test saves
anything; both are POSTs, as they carry what nobody saved yet.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse

from accounts import storable
from accounts.channels import Channel
from accounts.models import Recipient
from accounts.staff.eyes import SEE
from notifications import tariffs, template_tests
from notifications.admin.editor_fields import FIELDS
from notifications.clock import clock
from notifications.planning.prices import Money
from notifications.planning.segments import segments
from notifications.providers.gsm import is_gsm
from templates_app import publishing, sharing
from templates_app.admin import TemplateVersionAdmin
from templates_app.content import EmailText, PushText, SmsText
from templates_app.mistakes import Place
from templates_app.models import Template, TemplateVersion, VersionState
from templates_app.previewing import Preview, Remark, Shown, preview

#: Parts of a text message above which its writer is warned: each is charged.
MANY_SEGMENTS: Final = 3
#: Prices that are shown, the lowest destinations in the alphabet first.
_SHOWN_PRICES: Final = 12
#: First in an email that is looked at: whatever it wants to fetch, nothing leaves the page.
_NOTHING_LEAVES: Final = (
    '<!doctype html><meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
)
_NAME: Final = "templates_app_templateversion"


class Unreadable(Exception):
    """What was typed cannot be read; `remark` says where."""

    def __init__(self, remark: Remark) -> None:
        super().__init__(remark.says)
        self.remark = remark


class EditedVersionAdmin(TemplateVersionAdmin):
    """Versions, with fields and a live preview in place of JSON. Without JavaScript the JSON stays."""

    change_form_template = "admin/notifications/editor/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        """They come before the pages of versions."""
        tools: dict[str, Callable[..., HttpResponse]] = {
            "preview/": self.preview_view,
            "try/": self.try_view,
            "<uuid:key>/draft/": self.draft_view,
        }
        own = [
            path(route, self.admin_site.admin_view(view), name=f"{_NAME}_{route.rstrip('/').rpartition('/')[2]}")
            for route, view in tools.items()
        ]
        return [*own, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The version's page, with what the editor starts with."""
        version = self.get_object(request, object_id) if object_id else None
        context = {
            "edited": version,
            "editor_fields": FIELDS,
            "is_fixed": version is not None and not self.has_change_permission(request, version),
            "may_copy": version is not None
            and version.state != VersionState.DRAFT
            and self.has_add_permission(request),
            "may_try": self._may_try(request),
            "may_see_people": request.user.has_perm(SEE),
            "own_email": getattr(request.user, "email", ""),
        }
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """What the unsaved draft says, and what is wrong with it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            found, person = self._preview(request)
        except Unreadable as error:
            found, person = Preview(mistakes=(error.remark,)), None
        warnings = [*found.warnings, *_too_many_parts(found)]
        page = render_to_string(
            "admin/notifications/editor/preview.html",
            {"texts": _seen(found), "coverage": _table(found)},
        )
        return JsonResponse(
            {
                "html": page,
                "mistakes": [_told(one) for one in found.mistakes],
                "warnings": [_told(one) for one in warnings],
                "locale": person.locale if person else "",
            }
        )

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """Send one text of the unsaved draft through a test account, and say what became of it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self._may_try(request):
            raise PermissionDenied
        try:
            spot = Place(Channel(request.POST.get("channel", "")), request.POST.get("locale", ""))
            found, _ = self._preview(request, only=spot)
        except ValueError:
            return _answer("There is no such channel.")
        except Unreadable as error:
            return _answer(error.remark.says)
        if wrong := [*found.mistakes, *(one for one in found.warnings if one.place.field)]:
            return _answer(f"{wrong[0].place}: {wrong[0].says}")
        texts = {one.platform: one.text for one in found.shown}
        try:
            sent = template_tests.send(
                texts, Channel(spot.channel), request.POST.get("to", ""), may_name_people=request.user.has_perm(SEE)
            )
        except template_tests.CannotTry as error:
            return _answer(str(error))
        return JsonResponse({"ok": sent.is_good, "says": sent.says})

    def draft_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """A draft of what this version says, to work on."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        version = get_object_or_404(self.get_queryset(request).select_related("template"), pk=key)
        if not self.has_add_permission(request):
            raise PermissionDenied
        made = publishing.create_draft(version.template, publishing.Draft.of(version), by=request.user)
        messages.success(request, f"{made} is a draft of {version}.")
        return redirect(reverse(f"admin:{_NAME}_change", args=[made.pk]))

    def _may_try(self, request: HttpRequest) -> bool:
        """Those who write, and those who approve what others wrote."""
        may = request.user.has_perm
        return may("templates_app.change_templateversion") or may("templates_app.approve_templateversion")

    def _preview(self, request: HttpRequest, only: Place | None = None) -> tuple[Preview, Recipient | None]:
        template, partials = _subject(request)
        content = _json(request, "content")
        if only and isinstance(content, Mapping):
            texts = content.get(only.channel)
            said = texts.get(only.locale) if isinstance(texts, Mapping) else None
            content = {only.channel: {only.locale: said}}
        data = _json(request, "sample_data") or {}
        if not isinstance(data, dict):
            raise Unreadable(Remark(Place("sample_data"), 'write an object, for example {"user_name": "지민"}.'))
        person = _person(request)
        if person:
            data = {**data, "recipient": person.attributes}
        return preview(template, content, partials, data), person


def _subject(request: HttpRequest) -> tuple[Template, Any]:
    """Of which template it is to be a version, and the partials that it may bring in."""
    templates = Template.objects.select_related("category")
    if key := request.POST.get("version", ""):
        versions = TemplateVersion.objects.select_related("template__category")
        version = get_object_or_404(versions, pk=_uuid(key))
        return version.template, publishing.partials_of(version)
    chosen = _uuid(request.POST.get("template", ""))
    template = templates.filter(pk=chosen).first() if chosen else None
    if template is None:
        raise Unreadable(Remark(Place("template"), "choose the template first."))
    return template, sharing.current()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _json(request: HttpRequest, name: str) -> Any:
    text = request.POST.get(name, "").strip()
    if not text:
        return None
    try:
        found = json.loads(text)
        storable.check(found)
    except json.JSONDecodeError as error:
        raise Unreadable(Remark(Place(name), f"is no JSON: {error.msg}.", error.lineno, error.colno)) from None
    except RecursionError:
        raise Unreadable(Remark(Place(name), "is nested too deeply.")) from None
    except (storable.NotStorable, ValueError) as error:
        raise Unreadable(Remark(Place(name), str(error))) from None
    return found


def _person(request: HttpRequest) -> Recipient | None:
    """Whose attributes the texts are to be seen with, for those who may see them."""
    external_id = request.POST.get("recipient", "").strip()
    if not external_id:
        return None
    if not request.user.has_perm(SEE):
        raise Unreadable(Remark(Place("recipient"), "you may not see people's data; use sample data."))
    person = Recipient.objects.known_as([external_id]).first()
    if person is None:
        raise Unreadable(Remark(Place("recipient"), "nobody is known by this id."))
    return person


def _too_many_parts(found: Preview) -> list[Remark]:
    return [
        Remark(Place(one.channel, one.locale), f"becomes {parts} text messages, each of which is charged. Shorten it.")
        for one in found.shown
        if isinstance(one.text, SmsText) and (parts := segments(one.text.body)) > MANY_SEGMENTS
    ]


def _seen(found: Preview) -> list[dict[str, Any]]:
    """What the page shows of each text."""
    prices = sorted(tariffs.texts(clock.now().date()).items())
    return [_seen_one(one, prices) for one in found.shown]


def _seen_one(one: Shown, prices: Sequence[tuple[str, Money]]) -> dict[str, Any]:
    more: dict[str, Any] = {}
    match one.text:
        case SmsText(body=body):
            parts = segments(body)
            more = {
                "parts": parts,
                "characters": len(body),
                "alphabet": "GSM-7" if is_gsm(body) else "UCS-2",
                "prices": [(to, Money(price.amount * parts, price.currency)) for to, price in prices[:_SHOWN_PRICES]],
                "more_prices": max(0, len(prices) - _SHOWN_PRICES),
            }
        case EmailText(html=html):
            more = {"srcdoc": f"{_NOTHING_LEAVES}{html}" if html else ""}
        case PushText():
            pass
    return {"one": one, "text": one.text, **more}


def _table(found: Preview) -> dict[str, Any]:
    """Which locale lacks which channel."""
    channels = list(next(iter(found.coverage.values()), {}))
    rows = [
        (locale, [(one[channel], one[channel] == locale) for channel in channels])
        for locale, one in found.coverage.items()
    ]
    return {"channels": channels, "rows": rows}


def _told(remark: Remark) -> dict[str, Any]:
    place = remark.place
    return {
        "channel": place.channel,
        "locale": place.locale,
        "field": place.field,
        "line": remark.line,
        "column": remark.column,
        "says": remark.says,
    }


def _answer(says: str) -> JsonResponse:
    return JsonResponse({"ok": False, "says": says})


admin.site.unregister(TemplateVersion)
admin.site.register(TemplateVersion, EditedVersionAdmin)
