"""What happens to the account: by the venue's force, or by the user's settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.hand.base import Reach
from sim.scenario import actions as a
from sim.venue import clearing, settings
from sim.venue.errors import VenueError
from sim.venue.models import ZERO, Leg


def _must_change(before: object, after: object, what: str) -> None:
    """Raise `VenueError` when something is as it should become: a record that does nothing."""
    if before == after:
        raise VenueError(f"{what} is {after} already")


def _leg(reach: Reach, action: a.LegAction) -> Leg:
    exchange = reach.venue.exchange
    return exchange.leg(reach.holder(action), action.symbol, action.position_side)


def _liquidate(reach: Reach, action: a.Liquidate, label: str) -> None:
    leg = _leg(reach, action)
    reach.change(
        clearing.liquidate,
        leg,
        action.slices,
        reach.now_ns,
        price=action.price,
        shape=action.shape,
        insured=action.insured or ZERO,
        fee=action.fee or ZERO,
    )


def _deleverage(reach: Reach, action: a.Deleverage, label: str) -> None:
    leg = _leg(reach, action)
    reach.change(
        clearing.deleverage,
        leg,
        action.quantity,
        reach.now_ns,
        price=action.price,
        shape=action.shape,
    )


def _margin_call(reach: Reach, action: a.MarginCall, label: str) -> None:
    leg = _leg(reach, action)
    if not leg.current.quantity:
        raise VenueError(f"{action.symbol} {action.position_side} is flat")
    reach.change(clearing.warn, [leg], reach.now_ns)


def _settle(reach: Reach, action: a.Settle, label: str) -> None:
    _must_change(reach.venue.exchange.statuses.get(action.symbol), "SETTLING", action.symbol)
    reach.change(clearing.settle, action.symbol, action.price, reach.now_ns)


def _fund(reach: Reach, action: a.Fund, label: str) -> None:
    accounts = reach.venue.exchange.accounts.values()
    holdings = (account.holdings.get(action.symbol) for account in accounts)
    legs = (leg for holding in holdings if holding for leg in holding.legs.values())
    if not any(leg.current.quantity for leg in legs):
        raise VenueError(f"nobody holds {action.symbol}")
    reach.change(clearing.fund, action.symbol, action.rate, reach.now_ns)


def _symbol_status(reach: Reach, action: a.SymbolStatus, label: str) -> None:
    status = reach.venue.exchange.statuses.get(action.symbol, "TRADING")
    _must_change(status, action.status, action.symbol)
    reach.change(clearing.set_status, action.symbol, action.status)


def _add_margin(reach: Reach, action: a.AddMargin, label: str) -> None:
    reach.change(
        settings.add_margin,
        reach.holder(action),
        action.symbol,
        action.position_side,
        action.amount,
        reach.now_ns,
    )


def _leverage(reach: Reach, action: a.SetLeverage, label: str) -> None:
    reach.change(
        settings.set_leverage, reach.holder(action), action.symbol, action.leverage, reach.now_ns
    )


def _margin_type(reach: Reach, action: a.SetMarginType, label: str) -> None:
    reach.change(
        settings.set_margin_type, reach.holder(action), action.symbol, action.type, reach.now_ns
    )


def _position_mode(reach: Reach, action: a.SetPositionMode, label: str) -> None:
    account, hedge = reach.holder(action), action.mode == "hedge"
    reach.change(settings.set_hedge, account, hedge, reach.now_ns)


def _burn_bnb(reach: Reach, action: a.BurnBnb, label: str) -> None:
    account = reach.holder(action)
    _must_change(account.burns_bnb, action.active, "the payment of commissions in BNB")
    reach.change(settings.set_fee_burn, account, action.active)


def _multi_assets(reach: Reach, action: a.SetMultiAssets, label: str) -> None:
    reach.change(settings.set_multi_assets, reach.holder(action), action.active, reach.now_ns)


def _restrict(reach: Reach, action: a.Restrict, label: str) -> None:
    account = reach.holder(action)
    _must_change(account.state, action.state, f"account {account.name}")
    reach.change(settings.restrict, account, action.state)


DO: dict[type[a.Action], Callable[[Reach, Any, str], None]] = {
    a.Liquidate: _liquidate,
    a.Deleverage: _deleverage,
    a.MarginCall: _margin_call,
    a.Settle: _settle,
    a.Fund: _fund,
    a.SymbolStatus: _symbol_status,
    a.AddMargin: _add_margin,
    a.SetLeverage: _leverage,
    a.SetMarginType: _margin_type,
    a.SetPositionMode: _position_mode,
    a.BurnBnb: _burn_bnb,
    a.SetMultiAssets: _multi_assets,
    a.Restrict: _restrict,
}
