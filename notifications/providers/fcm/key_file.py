"""The file with a service account's key, and the other files that people take for it."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from notifications.providers.contract import read

_Filled = Annotated[str, msgspec.Meta(min_length=1)]


class KeyFile(msgspec.Struct):
    """What a service account's key file must hold to be of use."""

    project_id: _Filled
    client_email: _Filled
    private_key: _Filled
    token_uri: Annotated[str, msgspec.Meta(pattern="^https://.")]
    type: Literal["service_account"] = "service_account"


KEY_FILE: Final = msgspec.json.Decoder(KeyFile)

_ANY: Final = msgspec.json.Decoder(dict[str, Any])
_NEEDED: Final = ("project_id", "client_email", "private_key", "token_uri")
#: Files of Firebase and Google that look alike, by what only they have.
_OTHERS: Final[Mapping[str, str]] = {
    "project_info": "google-services.json, which is for the app",
    "apiKey": "the web app's configuration",
    "installed": "an OAuth client's file",
    "web": "an OAuth client's file",
}
_WHERE: Final = "Firebase's console makes one under Project settings, Service accounts"


def instead_of(text: str) -> str:
    """What is wrong with a text that is no usable key file. Quotes nothing of it."""
    file = read(text.encode(), _ANY)
    if file is None:
        return "not a JSON object; paste the whole file of the service account's key"
    other = next((words for mark, words in _OTHERS.items() if mark in file), "")
    if other:
        return f"{other}; what is needed is a service account's key: {_WHERE}"
    if file.get("type", "service_account") != "service_account":
        return f"a file of another type, not service_account: {_WHERE}"
    lacking = [name for name in _NEEDED if not isinstance(file.get(name), str) or not file[name]]
    if lacking:
        return f"a service account's key without {', '.join(lacking)}; paste the whole JSON file"
    if not file["token_uri"].startswith("https://"):
        return "a service account's key whose token_uri does not begin with https://"
    what = _instead_of_key(file["private_key"])
    return f"a service account's key whose private_key is {what}; make a new one: {_WHERE}"


def _instead_of_key(written: str) -> str:
    if "CERTIFICATE" in written:
        return "a certificate"
    if "ENCRYPTED" in written:
        return "encrypted"
    try:
        key = load_pem_private_key(written.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "broken: it was cut, or changed on its way"
    return "of no use here" if isinstance(key, RSAPrivateKey) else "of another kind than RSA"
