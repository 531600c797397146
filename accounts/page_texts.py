"""What the pages for people say, in Korean and English."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Language:
    """A language, by its own name, and all that is said in it."""

    code: str
    name: str
    text: Mapping[str, str]


_EN: Final = {
    "title": "Your notifications",
    "intro": "Choose what reaches you, and how. It applies from the next message on.",
    "push": "Push", "sms": "Text message", "email": "Email",
    "always_on": "Always on",
    "always_on_why": "Messages about security, and those the law asks for, always reach you and cannot be turned off.",
    "to": "For",
    "save": "Save my choices",
    "nothing": "Switch everything off",
    "nothing_why": "only what is always on reaches you then, and new kinds of messages stay off, too.",
    "saved": "Your choices are saved.",
    "categories": "What reaches you",
    "no_categories": "There is nothing to choose at present.",
    "quiet": "Quiet hours",
    "quiet_why": "In these hours only what is always on reaches you; the rest waits. Leave both empty for none.",
    "quiet_zone": "By the clock of",
    "from": "From", "until": "Until",
    "bad_hours": "Nothing was saved. Give two different times, such as 22:00 and 07:00, or leave both empty.",
    "stopped": "Nothing is sent here, whatever you choose",
    "hard_bounce": "mail to this address came back for good",
    "soft_bounce": "mail to this address came back many times",
    "complaint": "our mail was reported as spam from here",
    "stop": "you told us to stop; text START to the number that wrote to you to change that",
    "stop_email": "you unsubscribed at the service that delivers our mail",
    "manual": "our service staff stopped it",
    "unsubscribe": "Unsubscribe",
    "ask": "Do you want no more messages of this kind?",
    "not_yet": "Nothing has changed yet. It takes the button.",
    "done": "Done. You get no more messages of this kind here.",
    "is_off": "You get no messages of this kind here.",
    "change": "See and change everything that reaches you",
    "kind": "Kind", "way": "Way", "address": "Address",
    "nothing_changed": "Nothing was changed",
    "bad_link": "This link does not work: it is incomplete, was altered, or belongs to somebody we no longer know. "
    "Please open it again from the message, as a whole.",
    "dead_link_title": "This link does not work",
    "dead_link": "It is incomplete or was altered, so it cannot be told where it leads. "
    "Please open it again from the message, as a whole.",
    "no_form": "This page did not get the form it expects. Please open the link from the message and use its button.",
    "unknown_choice": "One of the choices does not exist any more. Please open the link again and choose anew.",
    "too_many": "Too many links that do not work came from where you are. Please try again in a minute.",
    "critical": "Messages of this kind are about security, or the law asks for them. They cannot be switched off.",
    "language": "Language",
}  # fmt: skip

_KO: Final = {
    "title": "알림 설정",
    "intro": "받고 싶은 알림과 받는 방법을 선택하세요. 다음 메시지부터 적용됩니다.",
    "push": "푸시", "sms": "문자", "email": "이메일",
    "always_on": "항상 받음",
    "always_on_why": "보안 관련 알림과 법으로 정해진 알림은 항상 전달되며 끌 수 없습니다.",
    "to": "받는 곳",
    "save": "선택 저장",
    "nothing": "모두 끄기",
    "nothing_why": "항상 받는 알림만 오고, 새로 생기는 알림도 오지 않습니다.",
    "saved": "선택한 내용을 저장했습니다.",
    "categories": "받는 알림",
    "no_categories": "지금은 선택할 알림이 없습니다.",
    "quiet": "방해 금지 시간",
    "quiet_why": "이 시간에는 항상 받는 알림만 오고, 나머지는 나중에 옵니다. 쓰지 않으려면 둘 다 비워 두세요.",
    "quiet_zone": "기준 시간대",
    "from": "시작", "until": "끝",
    "bad_hours": "저장하지 않았습니다. 22:00과 07:00처럼 서로 다른 두 시각을 입력하거나 둘 다 비워 두세요.",
    "stopped": "선택과 관계없이 보내지 않는 곳",
    "hard_bounce": "이 주소로 보낸 메일이 반송되었습니다",
    "soft_bounce": "이 주소로 보낸 메일이 여러 번 반송되었습니다",
    "complaint": "이 주소에서 스팸으로 신고했습니다",
    "stop": "수신을 거부하셨습니다. 다시 받으려면 문자를 보낸 번호로 '수신동의'라고 답장하세요",
    "stop_email": "메일 발송 서비스에서 수신을 거부하셨습니다",
    "manual": "고객 센터에서 발송을 중단했습니다",
    "unsubscribe": "수신 거부",
    "ask": "이런 메시지를 더 이상 받지 않으시겠습니까?",
    "not_yet": "아직 바뀐 것은 없습니다. 버튼을 눌러야 적용됩니다.",
    "done": "수신 거부가 완료되었습니다. 앞으로 이런 메시지를 보내지 않습니다.",
    "is_off": "이런 메시지는 보내지 않고 있습니다.",
    "change": "받는 알림 모두 보기와 바꾸기",
    "kind": "종류", "way": "방법", "address": "주소",
    "nothing_changed": "바뀐 것이 없습니다",
    "bad_link": "링크가 올바르지 않습니다. 일부가 빠졌거나 바뀌었거나, 더 이상 등록되어 있지 않은 분의 링크입니다. "
    "메시지에 있는 링크를 처음부터 끝까지 그대로 다시 열어 주세요.",
    "dead_link_title": "링크가 올바르지 않습니다",
    "dead_link": "일부가 빠졌거나 바뀌어 어디로 이어지는 링크인지 알 수 없습니다. "
    "메시지에 있는 링크를 처음부터 끝까지 그대로 다시 열어 주세요.",
    "no_form": "필요한 양식이 오지 않았습니다. 메시지에 있는 링크를 열고 버튼을 눌러 주세요.",
    "unknown_choice": "선택한 항목 가운데 없어진 것이 있습니다. 링크를 다시 열고 선택해 주세요.",
    "too_many": "올바르지 않은 링크가 너무 많이 열렸습니다. 1분 뒤에 다시 시도해 주세요.",
    "critical": "보안 관련 알림이거나 법으로 정해진 알림이므로 끌 수 없습니다.",
    "language": "언어",
}  # fmt: skip

LANGUAGES: Final = (Language("ko", "한국어", _KO), Language("en", "English", _EN))


def language_of(chosen: str, locale: str, accepted: str) -> Language:
    """The language chosen on the page, else the person's, else the first of the browser's, else English."""
    known = {language.code: language for language in LANGUAGES}
    browser = (part.partition(";")[0].strip() for part in accepted.split(","))
    for wanted in (chosen, locale, *browser):
        if found := known.get(wanted.lower().partition("-")[0]):
            return found
    return known["en"]
