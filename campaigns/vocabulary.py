"""The words of campaigns: where one stands, when it goes out, and how its variants are given out. Free of Django."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from accounts import storable

#: Of what the templates of a campaign are given, in bytes of JSON: it is read and written whenever the campaign is, and
#: goes along with each of its messages.
LARGEST_DATA: Final = 10_000


class SegmentKind(StrEnum):
    """By what a segment knows who belongs to it."""

    RULES = "rules"  # whoever meets them at the moment of asking
    LIST = "list"  # whoever was in an uploaded file


class UploadMode(StrEnum):
    """What becomes of those who are on a list when a file for it comes."""

    ADD = "add"  # they stay, and others come
    REPLACE = "replace"  # they go


class UploadState(StrEnum):
    """Where a file for a list stands."""

    READING = "reading"  # it is read, or waits for its turn; the list is as it was
    TAKEN = "taken"  # whom it names is on the list
    REFUSED = "refused"  # it has faults; the list is as it was


class CampaignState(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"  # is being written; nothing starts
    IN_REVIEW = "in_review"  # waits for a second pair of eyes
    ACTIVE = "active"  # its moments start runs
    PAUSED = "paused"  # its moments pass without a run
    ENDED = "ended"  # no moment is left


class ScheduleKind(StrEnum):
    """When a campaign goes out."""

    NOW = "now"
    ONCE = "once"
    CRONTAB = "crontab"
    INTERVAL = "interval"


class EveryUnit(StrEnum):
    """In what an interval is counted."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"


class Split(StrEnum):
    """How people are divided among variants."""

    FIXED = "fixed"  # by the weights
    ADAPTIVE = "adaptive"  # more and more to the variant that does best


class Goal(StrEnum):
    """What counts as a success."""

    CLICK = "click"
    CONVERSION = "conversion"

    @property
    def did(self) -> str:
        """What those have done who are counted."""
        return "clicked" if self is Goal.CLICK else "converted"


class RunState(StrEnum):
    """Where one going-out of a campaign stands."""

    STARTING = "starting"  # its audience is being frozen; what is frozen is planned already
    RUNNING = "running"  # all are frozen; chunks are planned and sent
    DECIDING = "deciding"  # the test has gone out; the rest waits for the better variant
    PAUSED = "paused"  # nothing is planned, and nothing leaves
    FINISHED = "finished"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"  # it was too late, or another run took its place; `note` says why
    FAILED = "failed"  # it could not start; `note` says why


class ChunkState(StrEnum):
    """Where a chunk of an audience stands."""

    OPEN = "open"
    PLANNED = "planned"
    CLOSED = "closed"  # the run was cancelled before


#: States in which a run still has something to do.
UNFINISHED: Final = frozenset({RunState.STARTING, RunState.RUNNING, RunState.DECIDING, RunState.PAUSED})

#: The arm of those who get nothing, so that there is somebody to compare with.
HOLD_OUT: Final = "-"
#: What variants are called.
LETTERS: Final = "ABCDEF"

#: The names under which tasks are published and found.
TICK: Final = "campaigns.tick"
START: Final = "campaigns.start"
GO_ON: Final = "campaigns.go_on"
EXPORT: Final = "campaigns.export"
RETRY: Final = "campaigns.retry"
LIST: Final = "campaigns.list"


def too_much(data: Mapping[str, Any]) -> str:
    """What is wrong with data that is larger than templates are given; empty where it is not."""
    size = storable.size(data)
    return f"{size:,} bytes of JSON are too many; at most {LARGEST_DATA:,}." if size > LARGEST_DATA else ""
