"""A file that people open with a spreadsheet does what it says and nothing else."""

import pytest

from accounts.csv_cells import harmless


@pytest.mark.parametrize("cell", ["=5", "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "+8210=1"])
def test_what_a_spreadsheet_would_run_begins_with_an_apostrophe(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "jimin", "a=b", "1-1", "+821012345678"])
def test_what_it_would_not_run_stays_as_it_is(cell: str) -> None:
    assert harmless(cell) == cell
