"""Programs that fetch pictures and follow links though nobody looked, told apart from people. Pure.

By what they say they are:

* Apple's Mail Privacy Protection fetches every picture through Apple's proxies soon after a mail arrived, opened or
  not, as "Mozilla/5.0" and nothing else (help.socketlabs.com, "Identifying Apple MPP Opens in Notification API Events";
  wordtothewise.com/2021/09/apple-mpp). No browser stops there.
* Gmail fetches pictures before it shows a mail that comes while its app is open, as a browser of 2015 with a second
  "Mozilla/5.0" at the end: 1 to 6 in 100 opens at Gmail (bird.com/blog/gmail-prefetching-images, first SparkPost's).
* GoogleImageProxy and YahooMailProxy fetch when somebody opens a mail: people, of whom only the address is hidden.
  So does Outlook ("ms-office") as it shows one.
* Link previews of messengers, scanners of mail gateways and libraries of programs say their names.

And by when: nobody reads within two seconds of the moment that a mail was handed over. Scanners that look into what
comes in, and pretend to be browsers, do.
"""

import re
from typing import Final

#: Seconds from sending in which only machines are that quick.
TOO_SOON: Final = 2.0

_APPLE: Final = "Mozilla/5.0"
_GMAIL_AHEAD: Final = "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
#: Said of themselves. Words that mail programs use of theirs as well, such as okhttp, are not among them.
_NAMED: Final = re.compile(
    r"barracuda|proofpoint|mimecast|forcepoint|fireeye|trend ?micro|symantec|sophos|safelinks|messagelabs|ironport"
    r"|facebookexternalhit|kakaotalk-scrap|whatsapp/|skypeuripreview|bingpreview|linkpreview|slack-imgproxy"
    r"|headlesschrome|phantomjs|python-(?:requests|urllib|httpx)|aiohttp|go-http-client|libwww-perl|curl/|wget/|java/"
    # Cubot makes phones
    r"|(?<!cu)bot\b|crawler|spider",
    re.IGNORECASE,
)


def machine(user_agent: str) -> str:
    """Which machine says that it is none of a person's, in words; "" for what may be a person."""
    if user_agent == _APPLE:
        return "Apple's privacy proxy"
    if user_agent.endswith(_GMAIL_AHEAD):
        return "Gmail, ahead of its reader"
    if not user_agent:
        return "a program without a name"
    if named := _NAMED.search(user_agent):
        return f"a program that says {named[0]}"
    return ""


def hasty(seconds_since_sent: float | None) -> str:
    """Why nobody can have been so quick, in words; "" where somebody can, or it is not known when it was sent."""
    if seconds_since_sent is not None and seconds_since_sent < TOO_SOON:
        return f"within {TOO_SOON:.0f} seconds of sending"
    return ""
