"""The fields of the editor, by channel: what a writer is asked for, in the order in which it is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from accounts.channels import Channel


@dataclass(frozen=True, slots=True)
class Field:
    """`rows`: lines of a text with several; 0 is a single line. What is no field here is kept as it was."""

    name: str
    label: str
    rows: int = 0
    help: str = ""
    is_required: bool = False
    is_code: bool = False


FIELDS: Final[Mapping[Channel, tuple[Field, ...]]] = {
    Channel.PUSH: (
        Field("title", "Title", is_required=True),
        Field("body", "Body", 4, is_required=True),
        Field("link", "Link", help="Where a tap leads, for example app://item/{{ item_id }}"),
        Field("image", "Image", help="The address of a picture."),
        Field("badge", "Badge", help="The number on the app's icon."),
        Field("sound", "Sound"),
        Field("collapse_key", "Collapse key", help="A newer message with this key takes the place of an older one."),
        Field("ttl", "Time to live", help="Seconds for which it is worth anything."),
    ),
    Channel.SMS: (Field("body", "Body", 5, is_required=True),),
    Channel.EMAIL: (
        Field("subject", "Subject", is_required=True),
        Field("preheader", "Preheader", help="The line that mail programs show beside the subject."),
        Field("mjml", "MJML", 14, "Write either MJML or HTML.", is_code=True),
        Field("html", "HTML", 14, is_code=True),
        Field("text", "Plain text", 6, "Left empty, it is made from the HTML."),
    ),
}
