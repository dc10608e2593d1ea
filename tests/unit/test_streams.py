"""Seeded randomness: streams are independent, sets are permuted and never changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sim.streams import SeededSet, Streams


def test_a_stream_depends_on_seed_and_purpose_only():
    one, two = Streams(7), Streams(7)
    two["network"].random()

    assert one["venue"].random() == two["venue"].random()
    assert Streams(8)["venue"].random() != Streams(7)["venue"].random()
    assert Streams(7)["venue"].random() != Streams(7)["network"].random()


@given(st.sets(st.text()), st.sets(st.text()), st.text(max_size=30))
def test_a_seeded_set_holds_exactly_what_the_set_held(left: set[str], right: set[str], key: str):
    seeded = SeededSet(left, key)

    assert seeded == left
    assert set(iter(seeded)) == left
    assert len(list(seeded)) == len(left)
    assert seeded - right == left - right
    assert list(seeded - right) == [x for x in seeded if x not in right]
    seeded.update(right)
    assert sorted(seeded) == sorted(left | right)


def test_the_order_is_the_keys():
    symbols = {f"S{n}" for n in range(20)}

    assert list(SeededSet(symbols, "a")) == list(SeededSet(symbols, "a"))
    assert list(SeededSet(symbols, "a")) != list(SeededSet(symbols, "b"))


def test_keys_of_any_length_work():
    assert len(list(SeededSet({"a", "b"}, "k" * 500))) == 2
