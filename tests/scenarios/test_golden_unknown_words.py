"""Golden reactions of the released engine: words in the venue's messages that it does not know."""

from __future__ import annotations

import pytest
from golden import SENDS, answers, logged, play
from recon_node import orders


def says(field: str, what: str) -> str:
    words = f"path: /fapi/v1/exchangeInfo, field: {field}, {what}, for: 100s"
    return f"{{at: 0s, alter_reply: {{{words}}}}}"


@pytest.mark.parametrize(
    ("field", "what", "unknown"),
    [
        ("symbols.0.timeInForce", "append: RPI", "RPI"),
        ("symbols.0.status", "to: POST_ONLY", "POST_ONLY"),
        ("symbols.0.filters", "append: {filterType: MAX_WORTH, limit: 3}", "MAX_WORTH"),
    ],
    ids=["time in force", "status", "filter"],
)
def test_n18_one_unknown_word_about_a_symbol_keeps_a_node_from_starting(
    field: str, what: str, unknown: str
):
    """The first process never gets beyond its instruments; the next is told the usual."""
    later = SENDS.replace("2s", "130s")
    done = play(says(field, what), later)
    first, second = done.observation.incarnations

    assert (first.ended, first.ready_ns) == ("stalled", None)
    assert answers(done, "POST /fapi/v1/listenKey") == ["200"]
    assert (second.ended, orders(second.final)) == ("running", {"O-1": ("ACCEPTED", "0")})
    assert f"Invalid enum value '{unknown}'" in logged(says(field, what), later)
