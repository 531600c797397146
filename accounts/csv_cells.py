"""What stands in a cell of a CSV file, for whoever opens it with a spreadsheet."""

import re
from typing import Final

#: A cell that begins so is a formula to a spreadsheet, which would run it on the machine of whoever opens the file
#: (OWASP, "CSV Injection").
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_PHONE_NUMBER: Final = re.compile(r"\+[0-9]{7,15}")


def harmless(cell: str) -> str:
    """A text that would be a formula begins with an apostrophe. A phone number is none, and can be read back."""
    return f"'{cell}" if cell.startswith(_FORMULAS) and not _PHONE_NUMBER.fullmatch(cell) else cell
