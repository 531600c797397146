"""The first half of the road: from a request to deliveries that cannot be lost."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from accounts.channels import Channel, Mode
from accounts.ids import floor_of, new_id
from notifications import caps, facts, queues, tariffs
from notifications.ledger import audiences, digests, idempotency
from notifications.ledger.append import Appended, Header, append, append_header, kind_of
from notifications.ledger.idempotency import Repeat
from notifications.meters import metered
from notifications.planning.plan import plan
from notifications.planning.values import Criteria, Facts, Gather, Later, Plan, Send, Wish
from notifications.vocabulary import Reason, Urgency, in_words
from templates_app import catalogue
from templates_app.catalogue import Edition
from templates_app.content import PUSH_PAYLOAD_LIMIT, PushText, payload_size
from templates_app.rendering import RenderError
from templates_app.variables import LINK_STAND_INS


@dataclass(frozen=True, slots=True)
class Submission:
    """What a caller asks for, well-formed but not yet held against templates and recipients.

    It is for `addressees`, who are named, or for an `audience`. `channels` is empty where the caller leaves them to the
    template.
    """

    template: str
    addressees: tuple[facts.Addressee, ...] = ()
    audience: Criteria | None = None
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    channels: tuple[Channel, ...] = ()
    urgency: Urgency = Urgency.NORMAL
    send_at: datetime | None = None
    expires_at: datetime | None = None
    dry_run: bool = False
    wish: Wish | None = None
    digest_key: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """On whose behalf: the application, and whether its key is live or test."""

    application_id: UUID
    mode: Mode


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field, and what would be accepted."""

    field: str
    message: str


#: Problems that one answer tells of.
_TOLD: Final = 20


class Unacceptable(Exception):
    """The submission cannot be accepted as it is; nothing was written."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{problem.field}: {problem.message}" for problem in problems))
        self.problems = problems


class KeyReused(Exception):
    """The idempotency key was used for another body. Send a new key, or the first body again."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What was decided for one recipient on one channel."""

    recipient: str
    channel: Channel
    decision: str
    deliveries: tuple[UUID, ...] = ()
    due_at: datetime | None = None
    reason: str = ""
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The answer to a submission. `id` is None for a dry run, which writes nothing.

    `audience` is how many people a dry run would plan for, where they are not named.
    """

    id: UUID | None
    planned: int
    suppressed: int
    fates: tuple[Fate, ...]
    audience: int | None = None


def accept(submission: Submission, *, by: Sender, at: datetime) -> Acceptance:
    """Turn a submission into deliveries that cannot be lost.

    1. The newest published version of the template, or a refusal.
    2. Gather the facts about every recipient, in a fixed number of queries.
    3. Try the text on the first recipient, so that what cannot be rendered is refused here.
    4. Plan: who gets what, by which channel, and who does not, and why; then count it against frequency caps. A dry
       run ends here. For an audience, workers plan, chunk by chunk (`walking`).
    5. Append notification, deliveries and batches in one transaction.
    6. After the commit, hint the queues; a lost hint is found by the sweep.

    Raises `Unacceptable`, with every problem found; nothing is written then.
    """
    edition = catalogue.published(submission.template)
    if edition is None:
        raise Unacceptable(Problem("template", f"There is no published template named {submission.template!r}."))
    question = facts.Question(
        edition,
        submission.addressees,
        submission.channels or edition.channels,
        submission.data,
        submission.send_at,
        submission.expires_at,
        submission.wish,
        tariffs.current(at),
        submission.digest_key,
        submission.urgency,
    )
    if submission.audience is not None:
        return _accept_audience(submission, submission.audience, question, by, at)
    known = _gathered(question)
    _fits(question)
    _try_out(question)
    header = _header(submission, edition, by)
    planned = plan(known, at)
    decided = caps.counted(planned, known, header.id, at, peek=submission.dry_run)
    if submission.dry_run:
        looked_up = digests.peeked(kind_of(header), decided.decisions, at) if decided.gathers else decided.decisions
        return _acceptance(None, decided, [Appended(decision, ()) for decision in looked_up])
    try:
        with metered() as meters:
            appended, lanes = append(header, decided, at)
            transaction.on_commit(lambda: queues.hint(lanes))
            meters.planned(decided)
    except Exception:
        caps.give_back(planned, known, header.id, at)
        raise
    return _acceptance(header.id, decided, appended)


def _accept_audience(
    submission: Submission, criteria: Criteria, question: facts.Question, by: Sender, at: datetime
) -> Acceptance:
    """The notification without deliveries: they follow, chunk by chunk. A dry run counts the people."""
    check_for_audience(question)
    if submission.dry_run:
        return Acceptance(None, 0, 0, (), facts.members(criteria, floor_of(at)).count())
    header = _header(submission, question.edition, by)
    with transaction.atomic():
        append_header(header)
        audiences.begin(header.id, criteria, question.channels, submission.wish, submission.digest_key)
        transaction.on_commit(queues.hint_planner)
    return Acceptance(header.id, 0, 0, ())


def check_for_audience(question: facts.Question) -> None:
    """Refuse what could not be said to people who are not named. Raises `Unacceptable`."""
    missing = [path for path in facts.unsaid(question) if _is_callers(path)]
    if missing:
        raise Unacceptable(*[Problem(f"data.{path}", "The template needs this.") for path in missing])
    _fits(question)
    _try_out(question)


def once(repeat: Repeat, answer: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """The first answer to `repeat`, now or whenever it was asked first; `answer` runs at most once with success.

    Everything that `answer` writes is committed together with the answer. Raises `KeyReused` when the key was used
    for another request, and whatever `answer` raises, which leaves the key unused.
    """
    with transaction.atomic():
        if idempotency.is_first(repeat):
            first = json.dumps(answer(), ensure_ascii=False, default=str)
            idempotency.keep(repeat, first)
        else:
            digest, first = idempotency.found(repeat)
            if digest != repeat.digest:
                raise KeyReused
    told: Mapping[str, Any] = json.loads(first)
    return told


def _gathered(question: facts.Question) -> Facts:
    try:
        known = facts.gather(question)
    except facts.UnknownRecipients as unknown:
        raise Unacceptable(
            *[
                Problem(
                    f"recipients[{position}]",
                    "Nobody has this external_id. Create the recipient first, or give a contact inline.",
                )
                for position in unknown.positions[:20]
            ]
        ) from None
    missing = sorted({person.lacks for person in known.people if person.lacks and _is_callers(person.lacks)})
    if missing:
        raise Unacceptable(
            *[
                Problem(f"data.{path}", "The template needs this, in data or in every recipient's data.")
                for path in missing
            ]
        )
    return known


def _is_callers(path: str) -> bool:
    return not path.startswith("recipient.")


def _fits(question: facts.Question) -> None:
    """What the template's schema says of the data that each addressee's text is made from."""
    if question.edition.compiled_schema is None:
        return
    problems: list[Problem] = []
    own = [(place, one.data) for place, one in enumerate(question.addressees) if one.data]
    if len(own) < len(question.addressees) or not own:
        problems += [Problem(_named("data", one.path), one.message) for one in question.edition.problems(question.data)]
    for place, data in own:
        if len(problems) >= _TOLD:
            break
        for one in question.edition.problems({**question.data, **data}):
            is_own = re.split(r"[.\[]", one.path, maxsplit=1)[0] in data
            problems.append(Problem(_named(f"recipients[{place}].data" if is_own else "data", one.path), one.message))
    if problems:
        raise Unacceptable(*list(dict.fromkeys(problems))[:_TOLD])


def _named(root: str, path: str) -> str:
    return f"{root}.{path}" if path else root


def _try_out(question: facts.Question) -> None:
    """Render every channel once, as the first addressee would see it."""
    first = question.addressees[0] if question.addressees else facts.Addressee()
    edition = question.edition
    if question.digest_key and (silent := [one for one in edition.content.of_one if one.channel in question.channels]):
        told = f"{silent[0]} tells of one message; for a digest, walk through `items` there, or say `count`."
        raise Unacceptable(Problem("digest_key", told))
    stand_in = {path.split(".")[1]: "…" for path in edition.content.mentioned if path.startswith("recipient.")}
    data = {"recipient": stand_in, **facts.said(question, {**question.data, **first.data}), **LINK_STAND_INS}
    for channel in question.channels:
        locale = edition.locale_for(channel, first.locale)
        if locale is None:
            continue
        for platform in edition.content.platforms(channel, locale):
            try:
                text = edition.render(channel, locale, data, platform)
            except RenderError as error:
                raise Unacceptable(Problem("data", str(error))) from None
            if isinstance(text, PushText) and (size := payload_size(text)) > PUSH_PAYLOAD_LIMIT:
                raise Unacceptable(
                    Problem("data", f"The push payload would be {size} bytes; providers take {PUSH_PAYLOAD_LIMIT}.")
                )


def _header(submission: Submission, edition: Edition, by: Sender) -> Header:
    return Header(
        id=new_id(),
        application_id=by.application_id,
        version_id=edition.version_id,
        category_id=edition.category.id,
        mode=by.mode,
        urgency=submission.urgency,
        data=submission.data,
        send_at=submission.send_at,
        expires_at=submission.expires_at,
        digest_key=submission.digest_key,
    )


def _acceptance(notification_id: UUID | None, decided: Plan, appended: Sequence[Appended]) -> Acceptance:
    return Acceptance(notification_id, decided.planned, decided.suppressed, tuple(_fate(one) for one in appended))


def _fate(one: Appended) -> Fate:
    candidate, verdict = one.decision.candidate, one.decision.verdict
    if isinstance(verdict, Send):
        hold = verdict.hold
        return Fate(
            candidate.person.ref,
            candidate.channel,
            "hold" if hold else "send",
            one.delivery_ids,
            due_at=hold.until if hold else None,
            reason=hold.rule if hold else "",
            explanation=hold.detail if hold else "",
        )
    if isinstance(verdict, Gather):
        told = in_words(Reason.DIGESTED, verdict.in_words)
        return Fate(
            candidate.person.ref, candidate.channel, "gather", one.delivery_ids, verdict.until, Reason.DIGESTED, told
        )
    if isinstance(verdict, Later):
        told = f"If nothing is heard of {verdict.after} by {verdict.until:%Y-%m-%d %H:%M:%S %Z}."
        return Fate(candidate.person.ref, candidate.channel, "later", (), verdict.until, Reason.ESCALATED, told)
    explanation = in_words(verdict.reason, verdict.detail)
    return Fate(candidate.person.ref, candidate.channel, "drop", one.delivery_ids, None, verdict.reason, explanation)
