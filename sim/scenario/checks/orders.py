"""The words of one order: which of them its type needs, and which it cannot have."""

from __future__ import annotations

from sim.scenario.actions import Order, WebSubmit
from sim.scenario.checks.common import Fail
from sim.scenario.yaml_tree import Path

TRAILING = "TRAILING_STOP_MARKET"
_CLOSES_ALL = ("STOP_MARKET", "TAKE_PROFIT_MARKET")


def check_order_words(order: Order, path: Path, fail: Fail) -> None:
    """Call ``fail`` with the first word that does not suit the order's type."""
    _check_limit(order, path, fail)
    _check_trigger(order, path, fail)
    _check_time_in_force(order, path, fail)


def _check_limit(order: Order, path: Path, fail: Fail) -> None:
    kind = order.type
    if order.is_limited and order.price is None and order.price_match is None:
        fail(path, f"a {kind} order needs 'price'")
    if not order.is_limited and order.price is not None:
        fail((*path, "price"), f"a {kind} order has no price", "leave it out")
    if not order.is_limited and order.price_match is not None:
        fail((*path, "price_match"), f"a {kind} order has no price", "leave it out")
    if None not in (order.price, order.price_match):
        fail((*path, "price_match"), "'price' and 'price_match' exclude each other", "give one")
    if order.post_only and kind != "LIMIT":
        fail((*path, "post_only"), f"a {kind} order never rests", "leave it out")


def _check_trigger(order: Order, path: Path, fail: Fail) -> None:
    kind = order.type
    needs = "callback_rate" if kind == TRAILING else "trigger"
    if order.is_conditional and getattr(order, needs) is None:
        fail(path, f"a {kind} order needs {needs!r}")
    may_have: tuple[str, ...] = (needs, "working_type") if order.is_conditional else ()
    may_have += ("activate",) if kind == TRAILING else ()
    may_have += ("close_position",) if kind in _CLOSES_ALL else ()
    for word, given in (
        ("trigger", order.trigger is not None),
        ("callback_rate", order.callback_rate is not None),
        ("activate", order.activate is not None),
        ("working_type", order.working_type != "CONTRACT_PRICE"),
        ("close_position", order.close_position),
    ):
        if given and word not in may_have:
            fail((*path, word), f"a {kind} order has no {word!r}", "leave it out")
    if order.close_position and order.reduce_only:
        fail((*path, "reduce_only"), "an order that closes the position needs no 'reduce_only'")


def _check_time_in_force(order: Order, path: Path, fail: Fail) -> None:
    given, kind = order.time_in_force, order.type
    if kind == "MARKET" and given != "GTC":
        fail((*path, "time_in_force"), "a MARKET order never rests", "leave it out")
    if given == "GTE_GTC" and not (order.is_conditional and isinstance(order, WebSubmit)):
        fail((*path, "time_in_force"), "only a conditional order by hand is GTE_GTC")
    if order.post_only and given not in ("GTC", "GTD"):
        fail((*path, "post_only"), f"a post-only order rests, {given} does not")
    if given == "GTD" and order.good_till_ns is None:
        fail(path, "a GTD order needs 'good_till'")
    if given != "GTD" and order.good_till_ns is not None:
        fail((*path, "good_till"), "'good_till' belongs to 'time_in_force: GTD'", "leave it out")
