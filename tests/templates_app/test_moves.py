"""The table of moves: from where, by whom."""

import pytest

from templates_app.moves import MOVES, Move, Standing, VersionState, possible, refusal

WRITER, OTHER = 1, 2


@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize("state", VersionState)
def test_a_move_begins_in_its_own_state_and_nowhere_else(move: Move, state: VersionState) -> None:
    refused = refusal(move, Standing(state, needs_approval=False), OTHER)

    assert bool(refused) is (state is not MOVES[move][0]), refused


APPROVALS = [
    (Move.PUBLISH, VersionState.DRAFT, OTHER, "wants an approval"),
    (Move.PUBLISH, VersionState.DRAFT, None, "wants an approval"),
    (Move.APPROVE, VersionState.IN_REVIEW, WRITER, "did not write it"),
    (Move.APPROVE, VersionState.IN_REVIEW, None, "by a person"),
    (Move.APPROVE, VersionState.IN_REVIEW, OTHER, ""),
    (Move.SEND_BACK, VersionState.IN_REVIEW, WRITER, ""),
    (Move.SUBMIT, VersionState.DRAFT, WRITER, ""),
    (Move.ROLL_BACK, VersionState.RETIRED, WRITER, ""),
]


@pytest.mark.parametrize(("move", "state", "by", "why"), APPROVALS)
def test_where_an_approval_is_wanted_it_is_another_persons(
    move: Move, state: VersionState, by: int | None, why: str
) -> None:
    found = refusal(move, Standing(state, needs_approval=True, writers=frozenset({WRITER})), by)

    assert (why in found) if why else not found


def test_where_none_is_wanted_the_writer_may_do_all_of_it() -> None:
    standing = Standing(VersionState.IN_REVIEW, needs_approval=False, writers=frozenset({WRITER}))

    assert possible(standing, WRITER) == {Move.APPROVE, Move.SEND_BACK}
