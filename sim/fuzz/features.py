"""Swarm: which words a story may have.  Each feature is on or off for a whole story."""

from __future__ import annotations

from hypothesis import strategies as st

from sim.scenario.actions import ACTIONS

FEATURES: dict[str, tuple[str, ...]] = {
    "cancellations": ("cancel", "web_cancel", "cancel_all", "cancel_batch"),
    "amendments": ("modify", "web_modify"),
    "by-hand": ("web_submit", "web_cancel", "web_modify"),
    "conditional": ("trigger",),
    "endings": ("expire", "depth"),
    "graceful": ("stop", "start"),
    "kills": ("kill", "start", "restart"),
    "requests": (
        "fail_request", "lose_reply", "delay_reply", "garble_reply", "throttle", "delay_orders",
    ),
    "clocks": ("skew_clock",),
    "reads": ("lag_reads", "flap_reads", "hide_trades"),
    "disconnections": ("disconnect", "shut_down_streams", "refuse_streams"),
    "silence": ("half_open", "mute_streams"),
    "keys": ("expire_listen_key", "rotate_listen_key"),
    "events": ("drop_event", "duplicate_event", "delay_event"),
    "order-of-events": ("hold_events", "reorder_events"),
    "forced": ("liquidate", "deleverage"),
    "account": ("fund", "transfer", "leverage", "margin_call", "burn_bnb"),
    "market": ("price",),
}  # fmt: skip
"""The words of each feature."""

CORE = ("submit", "fill")
"""The words of every story: without orders and fills nothing is to be judged."""

EXCLUDED = {
    "alter_event": "an event that says what is not so cannot be told from a true one",
    "alter_reply": "an answer that says what is not so cannot be told from a true one",
    "inject_event": "a frame that nobody understands changes nothing, see `scenarios/stream`",
    "omit_rows": "rows that are missing for longer than the read-lag bound are out of contract",
    "shorten_pages": "stories are too short for more than a page",
    "repeat_boundary_row": "stories are too short for more than a page",
    "position_mode": "the oracle keeps to one mode",
    "margin_type": "it needs an account without orders and positions",
    "multi_assets": "it needs an account without orders and positions",
    "add_margin": "it needs an isolated leg",
    "settle": "the symbol ends with it",
    "symbol_status": "the symbol ends with it, or takes no orders",
    "restrict": "the account takes no orders",
    "query": "it asks, and changes nothing",
    "fail_ws_api": "keys are HMAC",
    "mute_ws_api": "keys are HMAC",
    "close_ws_api": "keys are HMAC",
}
"""The words that are not drawn, and why."""


def swarms() -> st.SearchStrategy[frozenset[str]]:
    """Sets of features that are on."""
    names = tuple(FEATURES)
    return st.lists(st.sampled_from(names), min_size=2, max_size=9, unique=True).map(frozenset)


def words_of(features: frozenset[str]) -> tuple[str, ...]:
    """Return the words that a story may have, the usual ones several times."""
    words = [word for name in FEATURES if name in features for word in FEATURES[name]]
    return (*CORE * (1 + len(words) // 3), *dict.fromkeys(words))


def undrawn() -> set[str]:
    """Return the words that are neither drawn nor said not to be."""
    drawn = {word for words in FEATURES.values() for word in words} | {*CORE}
    return set(ACTIONS) - drawn - set(EXCLUDED)
