"""Swarm: which words a story may have.  Each feature is on or off for a whole story."""

from __future__ import annotations

from collections.abc import Iterable

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
    "database": ("stop_database", "lose_writes", "kill", "start"),
    "requests": (
        "fail_request", "lose_reply", "delay_reply", "garble_reply", "throttle", "delay_orders",
    ),
    "clocks": ("skew_clock",),
    "reads": ("lag_reads", "flap_reads", "hide_trades"),
    "rows": ("omit_rows",),
    "pages": ("shorten_pages", "repeat_boundary_row"),
    "disconnections": ("disconnect", "shut_down_streams", "refuse_streams"),
    "silence": ("half_open", "mute_streams"),
    "keys": ("expire_listen_key", "rotate_listen_key"),
    "events": ("drop_event", "duplicate_event", "delay_event", "inject_event"),
    "order-of-events": ("hold_events", "reorder_events"),
    "forced": ("liquidate", "deleverage"),
    "account": ("fund", "transfer", "leverage", "margin_call", "burn_bnb", "query"),
    "isolation": ("margin_type", "add_margin", "multi_assets"),
    "modes": ("position_mode", "stop", "start"),
    "restrictions": ("restrict", "symbol_status"),
    "settlement": ("settle",),
    "market": ("price",),
}  # fmt: skip
"""What may happen: the words of each feature."""

SETTINGS: dict[str, tuple[str, ...]] = {
    "order-words": (),
    "points": ("restart",),
    "websocket-api": ("fail_ws_api", "mute_ws_api", "close_ws_api"),
    "two-symbols": (),
    "two-strategies": (),
    "two-accounts": (),
    "late-start": ("web_submit",),
    "lookback": (),
    "filtered": ("web_submit",),
    "broker": (),
    "knobs": (),
    "free": (),
}
"""Where it happens, with the words that are there for that."""

CORE = ("submit", "fill")
"""The words of every story: without orders and fills nothing is to be judged."""

EXCLUDED = {
    "alter_event": "an event that says what is not so cannot be told from a true one",
    "alter_reply": "an answer that says what is not so cannot be told from a true one",
}
"""The words that are not drawn, and why."""


_TRAFFIC = ("submit", "cancel", "modify", "restart", "fill")
_NEWS = ("fill", "submit", "web_submit", "trigger", "kill")

FOLLOWED_BY: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(FEATURES["requests"], _TRAFFIC),
    **dict.fromkeys((*FEATURES["reads"], *FEATURES["rows"], *FEATURES["pages"]), _TRAFFIC),
    **dict.fromkeys((*FEATURES["disconnections"], *FEATURES["silence"]), _NEWS),
    **dict.fromkeys((*FEATURES["events"], *FEATURES["order-of-events"]), _NEWS),
    **dict.fromkeys(SETTINGS["websocket-api"], ("restart", "disconnect")),
    **dict.fromkeys(("stop_database", "lose_writes"), ("fill", "submit", "kill", "cancel")),
    **dict.fromkeys(("stop", "kill", "restart"), ("fill", "web_submit", "web_cancel", "trigger")),
    "expire_listen_key": _NEWS,
    "rotate_listen_key": ("expire_listen_key",),
    **dict.fromkeys(("fill", "submit"), ("kill", "restart", "cancel")),
    "modify": ("kill", "restart"),
}
"""What is likely to come soon after a word, in trouble's way: news while nobody hears it, traffic
while it fails, the end of a process while something is on its way."""


NOT_BROKERED = frozenset(
    {
        "requests", "clocks", "restrictions", "settlement", "market", "order-words", "conditional",
        "points",
    }
)  # fmt: skip
"""What a story with a broker has not: conditional orders, which its client does not know, and
what makes the venue refuse an order, such as a price that is far away.  The refusal may not be
heard, and then nobody can know of it: from a client that says nothing nothing is concluded."""


def _together(*parts: Iterable[str]) -> frozenset[str]:
    features = frozenset[str]().union(*parts)
    return features - NOT_BROKERED if "broker" in features else features


def swarms() -> st.SearchStrategy[frozenset[str]]:
    """Sets of features that are on: some of what may happen, and seldom more than one setting."""
    return st.builds(
        _together,
        st.lists(st.sampled_from(tuple(FEATURES)), min_size=2, max_size=7, unique=True),
        st.lists(st.sampled_from(tuple(SETTINGS)), max_size=1),
        st.lists(st.sampled_from(tuple(SETTINGS)), max_size=1),
    )


def words_of(features: frozenset[str]) -> tuple[str, ...]:
    """Return the words that a story may have, the usual ones several times."""
    known = FEATURES | SETTINGS
    words = [word for name in known if name in features for word in known[name]]
    return (*CORE * (1 + len(words) // 3), *dict.fromkeys(words))


def drawn() -> set[str]:
    """Return the words that stories can have."""
    return {word for words in (FEATURES | SETTINGS).values() for word in words} | {*CORE}


def undrawn() -> set[str]:
    """Return the words that are neither drawn nor said not to be."""
    return set(ACTIONS) - drawn() - set(EXCLUDED)
