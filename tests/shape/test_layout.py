"""Rules about the shape of the code that no linter knows."""

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "accounts",
    "benchmarks",
    "campaigns",
    "config",
    "notifications",
    "sandbox",
    "templates_app",
    "tests",
    "tracking",
)
#: More than this, and a file has two subjects.
LONGEST_FILE = 400


def test_no_file_is_too_long_to_be_about_one_thing() -> None:
    files = [
        file for package in PACKAGES for file in (CHECKOUT / package).rglob("*.py") if "migrations" not in file.parts
    ]
    lengths = {str(file.relative_to(CHECKOUT)): len(file.read_text().splitlines()) for file in files}
    assert {file: length for file, length in lengths.items() if length > LONGEST_FILE} == {}


def test_imports_go_one_way() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [program, "--no-logo", "--no-cache"], cwd=CHECKOUT, check=False, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout
