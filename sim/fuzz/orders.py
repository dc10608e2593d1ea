"""Drawn words about orders: what they ask for, in which pieces they are filled, how they end."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from sim.fuzz.accounts import Accounts
from sim.fuzz.part import Part
from sim.fuzz.setting import UNIT, Place, places_of, price_of
from sim.fuzz.values import MS_NS, SECOND_NS
from sim.scenario import actions as a
from sim.scenario import model as m

FILLS_AT_MOST = 14
"""More would need more than the symbol's largest order."""

ON_THE_WAY_NS = 60 * MS_NS
"""How long a request takes to the venue, and then some."""

STOPS = ("STOP_MARKET", "STOP", "TAKE_PROFIT_MARKET", "TAKE_PROFIT")
TRAILING = "TRAILING_STOP_MARKET"
LONG_NS = 3 * 3600 * SECOND_NS
"""Longer than a story: an order that expires when all is quiet disturbs the quiet."""


class Drawn:
    """An order as far as is known of it: the sizes that are still to be filled."""

    def __init__(self, action: a.Order, sizes: list[Decimal], here_ns: int) -> None:
        self.action = action
        self.sizes = sizes
        self.waits = action.is_conditional
        self.here_ns = here_ns
        """When it has reached the venue, if nothing holds it up."""

    @property
    def rests(self) -> bool:
        """Whether it can still be filled, triggered or cancelled."""
        return bool(self.sizes) or self.waits

    def fill(self) -> None:
        # Not one of the drawn sizes where the fill was given.
        del self.sizes[:1]

    def end(self) -> None:
        self.sizes, self.waits = [], False

    def trigger(self) -> None:
        self.waits = False
        if not self.action.is_limited:
            self.sizes = []


class Orders(Part):
    """The orders of strategies and of users by hand.

    Sizes are distinct powers of two of the smallest, over all symbols and accounts, so that a
    wrong position names the fills that are missing.
    """

    def __init__(
        self,
        draw: st.DrawFn,
        setting: m.Scenario,
        features: frozenset[str],
        accounts: Accounts,
    ) -> None:
        super().__init__(draw, setting, features)
        self._accounts = accounts
        self._places = places_of(setting)
        self._drawn: dict[str, Drawn] = {}
        self._power = 0
        self._number = 0
        self._sizes: dict[str, list[Decimal]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The ids of the orders so far."""
        return tuple(self._drawn)

    def node_of(self, order: str) -> str:
        """Return the node whose strategy sent an order."""
        return self._sent(order).node

    def note(self, action: a.Action) -> None:
        match action:
            case a.Order():
                # What executes at once is not filled by name.
                at_once = action.type == "MARKET" or action.time_in_force in ("IOC", "FOK")
                sizes = [] if at_once else self._sizes.get(action.id, [action.quantity])
                self._drawn[action.id] = Drawn(action, sizes, self.now_ns + ON_THE_WAY_NS)
            case a.Fill(order=order):
                self._drawn[order].fill()
            case a.Trigger(order=order):
                self._drawn[order].trigger()
            case a.Cancel(order=order) | a.WebCancel(order=order) | a.Expire(order=order):
                self._drawn[order].end()
            case a.CancelBatch(orders=orders):
                for order in orders:
                    self._drawn[order].end()
            case a.CancelAll():
                for order in self._resting(a.Submit):
                    if _whose(self._sent(order)) == _whose(action):
                        self._drawn[order].end()

    def _sent(self, order: str) -> a.Submit:
        sent = self._drawn[order].action
        assert isinstance(sent, a.Submit)
        return sent

    def _resting(self, kind: type[a.Order] = a.Order) -> list[str]:
        return [
            name
            for name, order in self._drawn.items()
            if isinstance(order.action, kind) and order.rests
        ]

    # -- words ----------------------------------------------------------------------------

    def submit(self) -> a.Action | None:
        place: Place = self._draw(st.sampled_from(self._places))
        terms = self._terms(place.account)
        if terms is None:
            return None
        strategies = self._setting.each_node[place.node].strategies
        strategy = self._draw(st.sampled_from(strategies))
        return a.Submit(**terms, strategy=strategy, node=place.node)

    def web_submit(self) -> a.Action | None:
        account = self._draw(st.sampled_from(self._accounts.names))
        terms = self._terms(account)
        return None if terms is None else a.WebSubmit(**terms, account=account)

    def fill(self) -> a.Action | None:
        name = self.one_of([*self._fillable()])
        if name is None:
            return None
        order = self._drawn[name]
        # Each at a price of its own, so that an average is of the fills that it should be of.
        factor = 1 + Decimal(self._draw(st.integers(-9, 9))) / 100
        price = self._price(order.action.symbol, factor)
        return a.Fill(order=name, quantity=order.sizes[0], price=price)

    def _fillable(self) -> Iterator[str]:
        for name, order in self._drawn.items():
            if order.sizes and not order.waits and order.here_ns <= self.now_ns:
                yield name

    def trigger(self) -> a.Action | None:
        name = self.one_of([name for name, order in self._drawn.items() if order.waits])
        return None if name is None else a.Trigger(order=name)

    def cancel(self) -> a.Action | None:
        name = self.one_of(self._resting(a.Submit))
        return None if name is None else a.Cancel(order=name)

    def query(self) -> a.Action | None:
        name = self.one_of(self._resting(a.Submit))
        return None if name is None else a.Query(order=name)

    def web_cancel(self) -> a.Action | None:
        name = self.one_of(self._resting())
        return None if name is None else a.WebCancel(order=name)

    def expire(self) -> a.Action | None:
        name = self.one_of([name for name in self._resting() if not self._drawn[name].waits])
        return None if name is None else a.Expire(order=name)

    def cancel_all(self) -> a.Action | None:
        name = self.one_of(self._resting(a.Submit))
        if name is None:
            return None
        node, strategy, symbol = _whose(self._sent(name))
        return a.CancelAll(node=node, strategy=strategy, symbol=symbol)

    def cancel_batch(self) -> a.Action | None:
        name = self.one_of(self._resting(a.Submit))
        if name is None:
            return None
        whose = _whose(self._sent(name))
        own = [each for each in self._resting(a.Submit) if _whose(self._sent(each)) == whose]
        return a.CancelBatch(orders=tuple(own[:2])) if len(own) > 1 else None

    def modify(self) -> a.Action | None:
        name = self.one_of(self._amendable(a.Submit))
        return None if name is None else a.Modify(order=name, price=self._amended(name))

    def web_modify(self) -> a.Action | None:
        name = self.one_of(self._amendable(a.WebSubmit))
        if name is None:
            return None
        quantity = self._drawn[name].action.quantity
        return a.WebModify(order=name, price=self._amended(name), quantity=quantity)

    def _amendable(self, kind: type[a.Order]) -> list[str]:
        return [n for n in self._resting(kind) if self._drawn[n].action.type == "LIMIT"]

    def _amended(self, name: str) -> Decimal:
        order = self._drawn[name].action
        return self._price(order.symbol, "0.99" if order.side == "BUY" else "1.01")

    # -- the words of an order ------------------------------------------------------------

    def _terms(self, account: str) -> dict[str, Any] | None:
        """Draw what an order of an account has, whoever sends it."""
        draw = self._draw
        parts = draw(st.integers(1, 3))
        if self._power + parts > FILLS_AT_MOST:
            return None
        sizes = [UNIT * 2 ** (self._power + n) for n in range(parts)]
        self._power += parts
        self._number += 1
        waiting = (*STOPS, TRAILING) if "conditional" in self._features else ()
        kind = draw(st.sampled_from(("LIMIT", "LIMIT", "MARKET", *waiting)))
        side = draw(st.sampled_from(("BUY", "SELL")))
        symbol = draw(st.sampled_from(self._setting.venue.symbols))
        while f"O-{self._number}" in self._drawn:
            self._number += 1
        terms: dict[str, Any] = {
            "id": f"O-{self._number}",
            "side": side,
            "quantity": sum(sizes, Decimal(0)),
            "type": kind,
            "symbol": symbol,
            "position_side": draw(st.sampled_from(self._accounts.sides_of(account, symbol, side))),
        }
        self._sizes[terms["id"]] = sizes
        if kind in ("LIMIT", "STOP", "TAKE_PROFIT"):
            # Orders of one account do not meet: that would end them at once.
            terms["price"] = self._price(symbol, "0.999" if side == "BUY" else "1.001")
        if kind in STOPS:
            # Far from the price on the side on which it waits.
            is_above = (side == "BUY") == kind.startswith("STOP")
            terms["trigger"] = self._price(symbol, "1.1" if is_above else "0.9")
        if kind == TRAILING:
            terms["callback_rate"] = Decimal(draw(st.sampled_from(("0.5", "3"))))
        if "order-words" in self._features:
            held = self._accounts.signed(account, symbol, terms["position_side"])
            terms |= self._extra(terms, closes=held < 0 if side == "BUY" else held > 0)
        return terms

    def _price(self, symbol: str, factor: str | Decimal = "1") -> Decimal:
        return price_of(symbol, self._setting, factor)

    def _extra(self, terms: dict[str, Any], *, closes: bool) -> dict[str, Any]:
        """Draw a word more that suits an order, or none."""
        kind = terms["type"]
        may: list[dict[str, Any]] = [{}]
        if closes and terms["position_side"] == "BOTH":
            may.append({"reduce_only": True})
        if kind == "LIMIT":
            may += [
                {"post_only": True, "price": self._passive(terms)},
                {"time_in_force": "IOC"},
                {"time_in_force": "FOK"},
                {"time_in_force": "GTD", "good_till_ns": LONG_NS},
                {"price_match": "QUEUE", "price": None},
            ]
        if kind in (*STOPS, TRAILING):
            may.append({"working_type": "MARK_PRICE"})
        if kind in ("STOP_MARKET", "TAKE_PROFIT_MARKET"):
            may.append({"close_position": True})
        return self._draw(st.sampled_from(may))

    def _passive(self, terms: dict[str, Any]) -> Decimal:
        return self._price(terms["symbol"], "0.99" if terms["side"] == "BUY" else "1.01")


def _whose(action: a.Submit | a.CancelAll) -> tuple[str, str, str]:
    return action.node, action.strategy, action.symbol
