"""The shapes of the events of the user data stream, and the stories that tests tell of them."""

from __future__ import annotations

import re
from typing import Any

from tests.wire.rows import POSITION_SIDE, PREVENTION, TIME_IN_FORCE, WORKING_TYPE
from tests.wire.shapes import COUNT, DECIMAL, ID, MS, NAME, POSITIVE, SIDE, Text, one_of

SIGNED = DECIMAL

_ORDER: dict[str, Any] = {
    "s": NAME,
    "c": NAME,
    "S": SIDE,
    "o": one_of("LIMIT", "MARKET", "LIQUIDATION"),
    "f": TIME_IN_FORCE,
    "q": POSITIVE,
    "p": DECIMAL,
    "ap": DECIMAL,
    "sp": DECIMAL,
    "x": one_of("NEW", "CANCELED", "CALCULATED", "EXPIRED", "TRADE", "AMENDMENT"),
    "X": one_of(
        "NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH",
        "NEW_INSURANCE", "NEW_ADL",
    ),
    "i": ID,
    "M?": ID,
    "l": DECIMAL,
    "z": DECIMAL,
    "L": DECIMAL,
    "N": NAME,
    "n": DECIMAL,
    "T": MS,
    "t": COUNT,
    "b": DECIMAL,
    "a": DECIMAL,
    "m": bool,
    "R": bool,
    "wt": WORKING_TYPE,
    "ot": one_of("LIMIT", "MARKET", "LIQUIDATION"),
    "ps": POSITION_SIDE,
    "cp": bool,
    "rp": SIGNED,
    "pP": bool,
    "si": int,
    "ss": int,
    "V": PREVENTION,
    "pm": NAME,
    "gtd": COUNT,
    "er": Text(r"\d|1[01]"),
}  # fmt: skip

_BALANCE = {"a": NAME, "wb": DECIMAL, "cw": DECIMAL, "bc": SIGNED}

_POSITION = {
    "s": NAME,
    "pa": SIGNED,
    "ep": DECIMAL,
    "bep": DECIMAL,
    "cr": SIGNED,
    "up": SIGNED,
    "mt": one_of("cross", "isolated"),
    "iw": DECIMAL,
    "ps": POSITION_SIDE,
    "ma": one_of("USDT", "USDC"),
}

_ALGO: dict[str, Any] = {
    "caid": NAME,
    "aid": ID,
    "at": "CONDITIONAL",
    "o": one_of("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"),
    "s": NAME,
    "S": SIDE,
    "ps": POSITION_SIDE,
    "f": TIME_IN_FORCE,
    "q": DECIMAL,
    "X": one_of("NEW", "CANCELED", "TRIGGERING", "TRIGGERED", "FINISHED", "REJECTED", "EXPIRED"),
    "ai": Text(r"\d*"),
    "ap": DECIMAL,
    "aq": DECIMAL,
    "act": one_of("", "LIMIT", "MARKET"),
    "tp": DECIMAL,
    "p": DECIMAL,
    "V": PREVENTION,
    "wt": WORKING_TYPE,
    "pm": NAME,
    "cp": bool,
    "pP": bool,
    "R": bool,
    "tt": COUNT,
    "gtd": COUNT,
    "rm": str,
    "cr?": POSITIVE,
    "ia?": bool,
}


def event(name: str, **fields: Any) -> dict[str, Any]:
    return {"e": name, "E": MS, "T": MS, **fields}


SHAPES: dict[str, dict[str, Any]] = {
    "ORDER_TRADE_UPDATE": event("ORDER_TRADE_UPDATE", o=_ORDER),
    "ACCOUNT_UPDATE": event("ACCOUNT_UPDATE", a={"m": NAME, "B": list, "P": list, "S?": NAME}),
    "TRADE_LITE": event(
        "TRADE_LITE",
        s=NAME,
        q=Text(r"\d+\.\d{3}"),  # padded, unlike all others
        p=Text(r"\d+\.\d{2}"),
        m=bool,
        c=NAME,
        S=SIDE,
        L=POSITIVE,
        l=POSITIVE,
        t=ID,
        i=ID,
    ),
    "ACCOUNT_CONFIG_UPDATE": event(
        "ACCOUNT_CONFIG_UPDATE", **{"ac?": {"s": NAME, "l": ID}, "ai?": {"j": bool}}
    ),
    "ALGO_UPDATE": event("ALGO_UPDATE", o=_ALGO),
    "MARGIN_CALL": {
        "e": "MARGIN_CALL",
        "E": MS,
        "cw": DECIMAL,
        "p": [
            {
                "s": NAME,
                "ps": POSITION_SIDE,
                "pa": SIGNED,
                "mt": one_of("CROSSED", "ISOLATED"),
                "iw": DECIMAL,
                "mp": POSITIVE,
                "up": SIGNED,
                "mm": POSITIVE,
            }
        ],
    },
    "listenKeyExpired": {"e": "listenKeyExpired", "E": MS, "listenKey": NAME},
    "serverShutdown": {"e": "serverShutdown", "E": MS},
}

BALANCES, POSITIONS = [_BALANCE], [_POSITION]


def said(event: dict[str, Any]) -> str:
    """Return what an event says in short: its type, and what it is about."""
    match event:
        case {"e": "ORDER_TRADE_UPDATE", "o": o}:
            why = "" if o["er"] == "0" else f" er {o['er']}"
            name = re.sub(r"-\d{13}$", "", o["c"])  # without the time
            return f"ORDER {name} {o['x']} {o['X']} {o['z']}{why}"
        case {"e": "ACCOUNT_UPDATE", "a": a}:
            legs = [f"{p['s']} {p['ps']} {p['pa']}" for p in a["P"]]
            return f"ACCOUNT {a['m']} {[b['a'] for b in a['B']]} {legs}"
        case {"e": "ALGO_UPDATE", "o": o}:
            return f"ALGO {o['caid']} {o['X']}"
        case {"e": "TRADE_LITE"}:
            return f"LITE {event['c']} {event['l']}"
        case {"e": "ACCOUNT_CONFIG_UPDATE", "ac": ac}:
            return f"CONFIG {ac['s']} {ac['l']}"
        case {"e": "ACCOUNT_CONFIG_UPDATE", "ai": ai}:
            return f"CONFIG multi-assets {ai['j']}"
        case _:
            return str(event["e"])
