"""Where a version stands, which moves there are, and who may make them. Pure: no database, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class VersionState(StrEnum):
    """Where a version stands. Only a draft can be changed; only a published one is sent."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    RETIRED = "retired"


class Move(StrEnum):
    """What somebody does with a version."""

    EDIT = "edit"
    SUBMIT = "submit"
    SEND_BACK = "send_back"
    APPROVE = "approve"
    PUBLISH = "publish"
    ROLL_BACK = "roll_back"


#: From where each move leads, and where to. Rolling back leaves the old version where it is: a copy of it is published.
#: What was published is retired by the next one, which is nobody's move.
MOVES: Final[Mapping[Move, tuple[VersionState, VersionState]]] = {
    Move.EDIT: (VersionState.DRAFT, VersionState.DRAFT),
    Move.SUBMIT: (VersionState.DRAFT, VersionState.IN_REVIEW),
    Move.SEND_BACK: (VersionState.IN_REVIEW, VersionState.DRAFT),
    Move.APPROVE: (VersionState.IN_REVIEW, VersionState.PUBLISHED),
    Move.PUBLISH: (VersionState.DRAFT, VersionState.PUBLISHED),
    Move.ROLL_BACK: (VersionState.RETIRED, VersionState.RETIRED),
}

_WRONG_STATE: Final[Mapping[Move, str]] = {
    Move.EDIT: "Only a draft can be changed; make a new draft of this version instead.",
    Move.SUBMIT: "Only a draft can be given to review.",
    Move.SEND_BACK: "Only what is in review can be sent back.",
    Move.APPROVE: "Only what is in review can be approved.",
    Move.PUBLISH: "Only a draft can be published; make a new draft of this version instead.",
    Move.ROLL_BACK: "Only a retired version can be gone back to.",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What a decision about a version needs to know. `writers` are all who changed it while it was a draft."""

    state: VersionState
    needs_approval: bool
    writers: frozenset[int] = frozenset()


def refusal(move: Move, version: Standing, by: int | None) -> str:
    """Why somebody may not make this move, with what would be right; empty where they may. `by` None: no person."""
    if version.state is not MOVES[move][0]:
        return f"{_WRONG_STATE[move]} It is {version.state.replace('_', ' ')}."
    if not version.needs_approval:
        return ""
    if move is Move.PUBLISH:
        return "Its category wants an approval; ask for a review."
    if move is Move.APPROVE and by is None:
        return "Its category wants an approval by a person."
    if move is Move.APPROVE and by in version.writers:
        return "Its category wants the approval of somebody who did not write it."
    return ""


def possible(version: Standing, by: int | None) -> frozenset[Move]:
    """The moves that somebody can make now."""
    return frozenset(move for move in Move if not refusal(move, version, by))
