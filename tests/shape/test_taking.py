"""What many workers take from one table is chosen once a statement, however PostgreSQL plans it.

A subquery behind IN or FROM may be run once for each row of the table, and one with FOR UPDATE SKIP LOCKED finds other
rows each time: more are taken than its LIMIT says. A WITH or an array is made once.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.shape.test_layout import CHECKOUT, PACKAGES

LOCKING = re.compile(r"\bSELECT\b.*\bFOR UPDATE\b", re.DOTALL)
ONCE = re.compile(r"(\bARRAY|=|\bAS( MATERIALIZED)?)\s*$")


def statements() -> Iterator[tuple[str, str]]:
    """All texts with a lock in them, and where they are."""
    for package in set(PACKAGES) - {"tests"}:
        for file in (CHECKOUT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and LOCKING.search(node.value):
                    yield f"{file.relative_to(CHECKOUT)}:{node.lineno}", node.value


def chosen_again(sql: str) -> list[str]:
    """What stands before the parentheses of locking subqueries that may be run more than once."""
    found = []
    for lock in re.finditer("FOR UPDATE", sql):
        depth, place = 0, lock.start()
        while place > 0 and depth < 1:
            place -= 1
            depth += {"(": 1, ")": -1}.get(sql[place], 0)
        before = sql[:place].rstrip()
        if depth == 1 and not ONCE.search(before):
            found.append(before.rsplit(maxsplit=1)[-1])
    return found


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        pytest.param("DELETE FROM a WHERE id IN (SELECT id FROM a LIMIT 5 FOR UPDATE SKIP LOCKED)", ["IN"], id="in"),
        pytest.param("UPDATE a SET b = 1 FROM (SELECT id FROM a LIMIT 1 FOR UPDATE) AS c", ["FROM"], id="from"),
        pytest.param("DELETE FROM a WHERE id = ANY(ARRAY(SELECT id FROM a FOR UPDATE))", [], id="array"),
        pytest.param("UPDATE a SET b = 1 WHERE id = (SELECT max(id) FROM a FOR UPDATE)", [], id="one"),
        pytest.param("WITH c AS (SELECT id FROM a WHERE (b) FOR UPDATE) SELECT 1", [], id="with"),
        pytest.param("SELECT id FROM a WHERE (b) FOR UPDATE", [], id="alone"),
    ],
)
def test_a_choice_that_may_be_made_again_is_found(sql: str, found: list[str]) -> None:
    assert chosen_again(sql) == found


def test_every_statement_chooses_once() -> None:
    known = dict(statements())

    assert len(known) > 20
    assert {place: found for place, sql in known.items() if (found := chosen_again(sql))} == {}
