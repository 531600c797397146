"""The page about the road says what the table of moves says."""

import re
from pathlib import Path

from notifications.vocabulary import MOVES, DeliveryState

PAGE = Path(__file__).parents[2] / "docs" / "explanations" / "road.md"


def test_the_states_page_is_the_table_of_moves() -> None:
    told = {}
    for line in PAGE.read_text().splitlines():
        if found := re.fullmatch(r"\| (\w+) \| [^|]* \|([^|]*)\|", line):
            state, following = found.groups()
            if state != "state":
                told[DeliveryState(state)] = {
                    DeliveryState(re.sub(r"\(.*\)", "", word).strip()) for word in following.split(",") if word.strip()
                }

    assert told == MOVES
