"""What accounts are believed to hold in a drawn story, and drawn words about that.

It is a belief: an order that is refused or lost at the venue was not filled there.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from sim.fuzz.part import Part
from sim.fuzz.setting import price_of
from sim.scenario import actions as a
from sim.scenario import model as m

type Leg = tuple[str, str, str]
"""An account, a symbol and a position side."""

STATES = ("normal", "inactive", "reduce-only", "liquidation", "cooling-off")
STATUSES = ("TRADING", "TRADING_HALT", "PRE_SETTLE")


class Accounts(Part):
    """What happens to accounts, by the venue's force or by the user's settings."""

    def __init__(self, draw: st.DrawFn, setting: m.Scenario, features: frozenset[str]) -> None:
        super().__init__(draw, setting, features)
        accounts = setting.venue.each_account
        self._modes = {name: account.position_mode for name, account in accounts.items()}
        self._held: defaultdict[Leg, Decimal] = defaultdict(Decimal)
        self._orders: dict[str, a.Order] = {}
        # What each account or symbol is, so that a change is one.
        self._states: dict[tuple[str, str], Any] = {}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._modes)

    def sides_of(self, account: str, symbol: str, side: str) -> tuple[str, ...]:
        """Return the position sides that an order can be of: what is flat cannot be closed."""
        if self._modes[account] != "hedge":
            return ("BOTH",)
        opens, closes = ("LONG", "SHORT") if side == "BUY" else ("SHORT", "LONG")
        return (opens, closes) if self._held[account, symbol, closes] else (opens,)

    def note(self, action: a.Action) -> None:
        match action:
            case a.Order(id=name):
                self._orders[name] = action
                if action.type == "MARKET":
                    self._change(action, action.quantity)
            case a.Fill(order=order, quantity=quantity):
                self._change(self._orders[order], quantity)
            case a.Liquidate(account=account, symbol=symbol, position_side=side):
                self._held[account, symbol, side] = Decimal(0)
            case a.Deleverage(account=account, symbol=symbol, position_side=side, quantity=part):
                held = self._held[account, symbol, side]
                self._held[account, symbol, side] = held - part if held > 0 else held + part
            case a.SetMarginType(account=account, type=type_):
                self._states[account, "margin"] = type_
            case a.SetMultiAssets(account=account, active=active):
                self._states[account, "assets"] = active
            case a.BurnBnb(account=account, active=active):
                self._states[account, "bnb"] = active
            case a.Restrict(account=account, state=state):
                self._states[account, "state"] = state
            case a.SymbolStatus(symbol=symbol, status=status):
                self._states[symbol, "status"] = status
            case a.Settle(symbol=symbol):
                self._states[symbol, "settled"] = True
            case a.SetPositionMode(account=account, mode=mode):
                self._modes[account] = mode

    def _change(self, order: a.Order, quantity: Decimal) -> None:
        leg = self._setting.account_of_order(order), order.symbol, order.position_side
        self._held[leg] += quantity if order.side == "BUY" else -quantity

    def signed(self, account: str, symbol: str, side: str) -> Decimal:
        """Return what a leg holds."""
        return self._held[account, symbol, side]

    # -- words ----------------------------------------------------------------------------

    def _leg(self) -> Leg | None:
        return self.one_of([leg for leg, quantity in self._held.items() if quantity])

    def liquidate(self) -> a.Action | None:
        leg = self._leg()
        if leg is None:
            return None
        quantity = abs(self._held[leg])
        slices = (quantity,) if self._draw(st.booleans()) else _halves(quantity)
        shape = self._draw(_SHAPES)
        return a.Liquidate(**_of(leg), slices=slices, price=self._far(leg), shape=shape)

    def deleverage(self) -> a.Action | None:
        leg = self._leg()
        if leg is None:
            return None
        part = self._draw(st.sampled_from(_halves(abs(self._held[leg]))))
        return a.Deleverage(**_of(leg), quantity=part, price=self._far(leg))

    def _far(self, leg: Leg) -> Decimal:
        return price_of(leg[1], self._setting, "0.8" if self._held[leg] > 0 else "1.2")

    def margin_call(self) -> a.Action | None:
        leg = self._leg()
        return None if leg is None else a.MarginCall(**_of(leg))

    def fund(self) -> a.Action | None:
        leg = self._leg()
        rate = self._draw(st.sampled_from(("0.0001", "-0.0003")))
        return None if leg is None else a.Fund(symbol=leg[1], rate=Decimal(rate))

    def settle(self) -> a.Action | None:
        symbol = self._setting.venue.symbols[0]
        is_over = (symbol, "settled") in self._states
        return None if is_over else a.Settle(symbol=symbol, price=price_of(symbol, self._setting))

    def add_margin(self) -> a.Action | None:
        leg = self._leg()
        if leg is None or self._states.get((leg[0], "margin")) != "ISOLATED":
            return None
        return a.AddMargin(**_of(leg), amount=Decimal(50))

    def margin_type(self) -> a.Action | None:
        account = self._untouched()
        if account is None:
            return None
        is_isolated = self._states.get((account, "margin")) == "ISOLATED"
        symbol = self._setting.venue.symbols[0]
        type_: Any = "CROSSED" if is_isolated else "ISOLATED"
        return a.SetMarginType(account=account, symbol=symbol, type=type_)

    def multi_assets(self) -> a.Action | None:
        account = self._untouched()
        if account is None:
            return None
        return a.SetMultiAssets(account=account, active=not self._states.get((account, "assets")))

    def position_mode(self) -> a.Action | None:
        account = self._untouched()
        if account is None:
            return None
        mode: Any = "one-way" if self._modes[account] == "hedge" else "hedge"
        return a.SetPositionMode(account=account, mode=mode)

    def burn_bnb(self) -> a.Action:
        account = self._draw(st.sampled_from(self.names))
        return a.BurnBnb(account=account, active=not self._states.get((account, "bnb")))

    def restrict(self) -> a.Action:
        account = self._draw(st.sampled_from(self.names))
        return a.Restrict(account=account, state=self._other((account, "state"), STATES))

    def symbol_status(self) -> a.Action | None:
        symbol = self._setting.venue.symbols[0]
        if (symbol, "settled") in self._states:
            return None
        return a.SymbolStatus(symbol=symbol, status=self._other((symbol, "status"), STATUSES))

    def _untouched(self) -> str | None:
        """An account that has had no order yet: some settings need it to be flat."""
        touched = {self._setting.account_of_order(order) for order in self._orders.values()}
        return self.one_of([name for name in self.names if name not in touched])

    def _other(self, of: tuple[str, str], states: tuple[str, ...]) -> Any:
        # From the first, which is the usual one, to another, and from any other back.
        is_usual = self._states.get(of, states[0]) == states[0]
        return self._draw(st.sampled_from(states[1:])) if is_usual else states[0]


_SHAPES: st.SearchStrategy[Any] = st.sampled_from(("trade", "calculated"))


def _of(leg: Leg) -> dict[str, Any]:
    account, symbol, side = leg
    return {"account": account, "symbol": symbol, "position_side": side}


def _halves(quantity: Decimal) -> tuple[Decimal, ...]:
    """Two parts of a quantity, or all of it when it is too small for two."""
    half = (quantity / 2).quantize(Decimal("0.1"))
    return (half, quantity - half) if 0 < half < quantity else (quantity,)
