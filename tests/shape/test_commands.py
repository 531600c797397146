"""The Makefile lists itself."""

import re
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def test_help_names_every_command() -> None:
    declared = re.search(r"^\.PHONY: (.*)$", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
    assert declared
    told = subprocess.run(["make", "help"], cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    assert re.findall(r"^  make ([a-z]+) ", told, re.MULTILINE) == declared[1].split()
