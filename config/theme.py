"""How the admin looks, and its menu: by what people come to do, and each entry only for whoever may open it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the menu. `models`: whoever may see all of them may open it; with none, everybody who is signed in.

    `icon` is a name of Google's Material Symbols, which the theme brings along.
    """

    title: str
    icon: str
    page: str
    models: tuple[str, ...] = ()

    def as_item(self) -> dict[str, Any]:
        """As the theme wants it."""
        return {
            "title": self.title,
            "icon": self.icon,
            "link": reverse_lazy(f"admin:{self.page}"),
            "permission": _whoever_sees(self.models),
            "active": _is_open(self.page),
        }


def _is_open(page: str) -> Callable[[HttpRequest], bool]:
    """Whether somebody is there, or below it where nothing else in the menu is."""

    def is_open(request: HttpRequest) -> bool:
        addresses = _addresses()
        mine = addresses[page]
        under = [one for one in addresses.values() if request.path.startswith(one)]
        return mine == max(under, key=len, default="") and (page != "index" or request.path == mine)

    return is_open


@cache
def _addresses() -> dict[str, str]:
    """Where every entry leads. Asked for each of them on every page, and the map does not change: found once."""
    return {entry.page: reverse(f"admin:{entry.page}") for entries in MENU.values() for entry in entries}


def _whoever_sees(models: tuple[str, ...]) -> Callable[[HttpRequest], bool]:
    def may(request: HttpRequest) -> bool:
        return all(
            any(request.user.has_perm(f"{app}.{verb}_{model}") for verb in ("view", "change"))
            for app, _, model in (name.partition(".") for name in models)
        )

    return may


def _list(title: str, icon: str, model: str) -> _Entry:
    return _Entry(title, icon, f"{model.replace('.', '_')}_changelist", (model,))


MENU: Final[dict[str, tuple[_Entry, ...]]] = {
    "": (_Entry("Home", "home", "index"),),
    "Messages": (
        _list("Templates", "description", "templates_app.template"),
        _list("Template versions", "history_edu", "templates_app.templateversion"),
        _list("Partials", "extension", "templates_app.partial"),
        _list("Notifications", "notifications", "notifications.notification"),
        _list("Deliveries", "outgoing_mail", "notifications.delivery"),
        _Entry(
            "Why (not)?", "quiz", "notifications_delivery_why", ("notifications.delivery", "accounts.recipient")
        ),
    ),
    "Campaigns": (
        _list("Campaigns", "campaign", "campaigns.campaign"),
        _list("Runs", "send", "campaigns.run"),
        _list("Segments", "groups_3", "campaigns.segment"),
        _Entry("Reports", "monitoring", "reports", ("campaigns.campaign",)),
    ),
    "People": (
        _list("Recipients", "person", "accounts.recipient"),
        _list("Devices", "smartphone", "accounts.device"),
        _list("Categories", "category", "accounts.category"),
        _list("Caps", "speed", "accounts.cap"),
        _list("Preferences", "tune", "accounts.preference"),
        _list("Refusals", "unsubscribe", "accounts.refusal"),
        _list("Suppressions", "block", "accounts.suppression"),
        _list("Replies", "reply", "accounts.receivedreply"),
        _list("Consent log", "gavel", "accounts.consentchange"),
        _list("Erasures", "person_remove", "notifications.erasure"),
    ),
    "Sending": (
        _list("Provider accounts", "cell_tower", "notifications.provideraccount"),
        _list("Routes", "route", "notifications.route"),
        _list("SMS prices", "payments", "notifications.smsprice"),
    ),
    "Operation": (
        _list("Batches", "stacks", "notifications.batch"),
        _list("Dead letters", "mail_off", "notifications.deadletter"),
        _list("Scheduled tasks", "schedule", "django_celery_beat.periodictask"),
        _list("Intervals", "timer", "django_celery_beat.intervalschedule"),
        _list("Crontabs", "calendar_month", "django_celery_beat.crontabschedule"),
        _list("Moments", "event", "django_celery_beat.clockedschedule"),
        _list("Solar events", "wb_sunny", "django_celery_beat.solarschedule"),
    ),
    "Access": (
        _list("Users", "group", "auth.user"),
        _list("Groups", "groups", "auth.group"),
        _list("Applications", "apps", "accounts.application"),
        _list("Keys", "key", "accounts.appkey"),
        _list("Audit log", "policy", "accounts.auditentry"),
    ),
}  # fmt: skip


def environment(_request: HttpRequest) -> list[str] | None:
    """The label at the top of every page, red where people are reached."""
    label: str = settings.ENVIRONMENT_LABEL
    if not label:
        return None
    return [label, "danger" if label.lower().startswith(("prod", "live")) else "info"]


def _stylesheet(_request: HttpRequest) -> str:
    return static("bongsu/admin.css")


def _script(_request: HttpRequest) -> str:
    return static("bongsu/admin.js")


#: Tailwind's blue: on white, and with white on it, its 600 has a contrast of 5.2; on the dark background its 400 has 7.
_BLUE: Final = {
    "50": "oklch(97% .014 254.604)",
    "100": "oklch(93.2% .032 255.585)",
    "200": "oklch(88.2% .059 254.128)",
    "300": "oklch(80.9% .105 251.813)",
    "400": "oklch(70.7% .165 254.624)",
    "500": "oklch(65% .19 257)",
    "600": "oklch(52% .22 262.881)",
    "700": "oklch(48.8% .243 264.376)",
    "800": "oklch(42.4% .199 265.638)",
    "900": "oklch(37.9% .146 265.522)",
    "950": "oklch(28.2% .091 267.935)",
}

UNFOLD: Final[dict[str, Any]] = {
    "SITE_TITLE": "Bongsu",
    "SITE_HEADER": "Bongsu",
    "SITE_SUBHEADER": "Notifications",
    "SITE_SYMBOL": "local_fire_department",
    # there is no site beside the admin that people could go to
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "config.theme.environment",
    "DASHBOARD_CALLBACK": "config.home.told",
    "STYLES": [_stylesheet],
    "SCRIPTS": [_script],
    "COLORS": {
        "primary": _BLUE,
        # the theme's own greys are just too light to be read on its tinted rows
        "font": {"subtle-light": "var(--color-base-600)", "subtle-dark": "var(--color-base-300)"},
    },
    "SIDEBAR": {
        "navigation": [
            {"title": title, "separator": bool(title), "items": [entry.as_item() for entry in entries]}
            for title, entries in MENU.items()
        ],
    },
}


def colors() -> dict[str, Any]:
    """All of the colours, for pages that stand outside the admin's own."""
    # the theme's settings want Django's to be there, which read this file
    defaults = import_module("unfold.settings").CONFIG_DEFAULTS
    mixed = {name: dict(weights) for name, weights in defaults["COLORS"].items()}
    for name, weights in UNFOLD["COLORS"].items():
        mixed[name].update(weights)
    return mixed
