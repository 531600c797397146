"""The demo's digest: three comments on one post reach their author as one message."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from accounts.models import Category
from config.demo.scenes import Played, Scene
from config.demo.story import Caller, Ending
from notifications.models import Digest, DigestEntry
from templates_app import publishing
from templates_app.models import Template

_LIST: Final = "{% for item in items %}{{ item.name }}{% unless forloop.last %}, {% endunless %}{% endfor %}"
_COMMENTS: Final = {"sms": {"ko": {"body": f"새 댓글 {{{{ count }}}}개: {_LIST}"}}}
_KEY: Final = "post-1"

REQUESTS: Final[Sequence[Mapping[str, Any]]] = [
    {"template": "comments", "recipients": ["jimin"], "channels": ["sms"], "data": {"name": name}, "digest_key": _KEY}
    for name in ("민수", "하늘", "유나")
]


def assemble() -> None:
    """Make the category that gathers and its template, once. What a demo before this one left is not in the digest."""
    category, _ = Category.objects.update_or_create(slug="comments", defaults={"name": "Comments", "digest_minutes": 1})
    template, _ = Template.objects.get_or_create(
        name="comments", defaults={"title": "Comments", "category": category, "default_locale": "ko"}
    )
    if not template.versions.exists():
        publishing.publish(
            publishing.create_draft(template, publishing.Draft(_COMMENTS, {"name": "민수"})), timezone.now()
        )
    DigestEntry.objects.filter(digest__key=_KEY).delete()
    Digest.objects.filter(key=_KEY).delete()


def played(caller: Caller, accepted: Callable[[str], int]) -> Iterator[Played]:
    """The scene, when it is over: each comment's delivery, and the one that they became."""
    asked = [caller.ask("/v1/notifications", request)["recipients"][0]["deliveries"][0] for request in REQUESTS]
    # nobody who watches a demo waits for a minute
    Digest.objects.filter(key=_KEY).update(due_at=timezone.now() - timedelta(seconds=1))
    items = [_watched(caller, one, until="digested") for one in asked]
    wholes = {_leads_to(item) for item in items} - {""}
    told = [*items, *(_watched(caller, one, until="delivered") for one in sorted(wholes))]
    yield Played(SCENE, [Ending(delivery, accepted(delivery["id"])) for delivery in told])


def _watched(caller: Caller, delivery: str, *, until: str, patience: float = 30.0) -> Mapping[str, Any]:
    """A delivery with its timeline, once that tells of something, or time is up."""
    deadline = time.monotonic() + patience
    while True:
        told: Mapping[str, Any] = caller.ask(f"/v1/deliveries/{delivery}")
        if any(moment["what"] == until for moment in told["timeline"]):
            # its state was read before its timeline: by now both say the same
            same: Mapping[str, Any] = caller.ask(f"/v1/deliveries/{delivery}")
            return same
        if time.monotonic() > deadline:
            return told
        time.sleep(0.2)


def _leads_to(item: Mapping[str, Any]) -> str:
    """As which delivery a comment went; empty where it has not gone."""
    details = [str(moment["detail"]) for moment in item["timeline"] if moment["what"] == "digested"]
    return details[0].rpartition(" ")[2] if details else ""


def flaw(endings: Sequence[Ending]) -> str:
    """Three comments, all of which went in one message, which arrived."""
    items, wholes = endings[: len(REQUESTS)], endings[len(REQUESTS) :]
    if len(wholes) != 1:
        return f"{len(REQUESTS)} comments went in {len(wholes)} messages"
    whole = wholes[0].delivery
    if whole["state"] != "delivered":
        return f"the message of all is {whole['state']}"
    astray = [one for one in items if _leads_to(one.delivery) != whole["id"]]
    return f"{len(astray)} comments are not in it" if astray else ""


SCENE: Final = Scene("Digest: three comments, one message", REQUESTS, len(REQUESTS) + 1, flaw)
