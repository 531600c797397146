"""The fixed sets that everybody shares: how a person can be reached.

Free of Django, so that planning and the provider adapters can use them.
"""

from enum import StrEnum


class Channel(StrEnum):
    """What a person opts in to or out of."""

    PUSH = "push"
    SMS = "sms"
    EMAIL = "email"


class Platform(StrEnum):
    """What kind of device a push token belongs to."""

    IOS = "ios"
    ANDROID = "android"
    WEB = "web"
    DESKTOP = "desktop"


class PushService(StrEnum):
    """The outside service that issued a push token, and through which alone it can be reached."""

    APNS = "apns"
    FCM = "fcm"
    WEBPUSH = "webpush"
    JPUSH = "jpush"
    PUSHY = "pushy"


class Mode(StrEnum):
    """Whether a message reaches people (live) or only the sandbox (test)."""

    LIVE = "live"
    TEST = "test"


#: The push service a platform's tokens come from when a registration does not say.
USUAL_SERVICE = {
    Platform.IOS: PushService.APNS,
    Platform.ANDROID: PushService.FCM,
    Platform.WEB: PushService.WEBPUSH,
    Platform.DESKTOP: PushService.WEBPUSH,
}
