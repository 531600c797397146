"""What people paste into a form, and what they meant: quotes, spaces and lost line breaks are no part of a key.

Only what can mean one thing is mended. Everything else stays as it is, for the provider's `check` to refuse.
"""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

_QUOTES: Final = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "«": "»"}
#: Come along from web pages and text processors; nobody sees them.
_INVISIBLE: Final = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad"))
#: RFC 7468, with dashes that an editor may have joined, and anything between that is no dash.
_BEGIN: Final = re.compile(r"(?<![-–—])[-–—]{2,}+\s*+BEGIN ++([A-Z0-9]++(?: [A-Z0-9]++)*+)\s*+[-–—]{2,}+")
_END: Final = r"(?<![-–—])[-–—]{2,}+\s*+END ++%s\s*+[-–—]{2,}+"
#: Characters. A key of 16,384 bits has 13,000.
_LONGEST_BLOCK: Final = 20_000
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
#: How a private key in PKCS 8 begins (a DER sequence of more than 127 bytes), pasted without its first and last line.
_BARE_KEY: Final = re.compile(r"MI[GI][A-Za-z0-9+/\s]{100,}={0,2}\s*")
_LINE: Final = 64


def mended(given: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Credentials or settings as they were meant. `names` are those that the provider knows.

    A service account's key file that was pasted by itself is the credential of that name.
    """
    if "service_account" in names and given.get("type") == "service_account":
        given = {"service_account": dict(given)}
    known = {_plain(name): name for name in names}
    return {known.get(_plain(name), name.strip()): _meant(value) for name, value in given.items()}


def tidied(value: str) -> str:
    """A text without the quotes and spaces around it; a PEM block in it has its lines again."""
    text = value.translate(_INVISIBLE).strip()
    while len(text) > 1 and _QUOTES.get(text[0]) == text.rstrip(",;")[-1:] and text.rstrip(",;") != text[0]:
        text = text.rstrip(",;")[1:-1].strip()
    if "BEGIN" in text and not text.startswith("{"):
        return armoured(text)
    if _BARE_KEY.fullmatch(text):
        return _block("PRIVATE KEY", text)
    return text


def armoured(text: str) -> str:
    r"""A PEM block whose line breaks were lost, or are written as \n, in its usual lines."""
    found = _first_block(text.replace("\\r", "").replace("\\n", "\n")) if len(text) <= _LONGEST_BLOCK else None
    if found is None:
        return text
    label, inner = found
    body = "".join(inner.split()).strip("\"'")
    # lines with a colon tell how an old kind of encrypted key is to be opened: nothing to be joined
    return _block(label, body) if _BASE64.fullmatch(body) else text


def _first_block(text: str) -> tuple[str, str] | None:
    """The label of the first block that has an end, and what stands in it."""
    endless = set()
    for begin in _BEGIN.finditer(text):
        label = begin[1]
        if label not in endless:
            if end := re.compile(_END % label).search(text, begin.end()):
                return label, text[begin.end() : end.start()]
            endless.add(label)
    return None


def _block(label: str, body: str) -> str:
    joined = "".join(body.split())
    lines = [joined[place : place + _LINE] for place in range(0, len(joined), _LINE)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _meant(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(_with_key(value), ensure_ascii=False)
    if not isinstance(value, str):
        return value
    text = tidied(value)
    if text.startswith("{"):
        try:
            decoded = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            return text
        if isinstance(decoded, dict):
            return json.dumps(_with_key(decoded), ensure_ascii=False)
    return text


def _with_key(file: Mapping[str, Any]) -> dict[str, Any]:
    key = file.get("private_key")
    return {**file, "private_key": tidied(key)} if isinstance(key, str) else dict(file)
