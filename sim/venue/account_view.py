"""Read models of money and positions: account, balance, positionRisk.

Rules:

* Profit is marked at the mark price, margins are those by which orders are refused (see
  `margin`).  There is no liquidation by price.
* positionRisk v3 and account v3 list only legs with a position, or of symbols with open
  orders; v2 lists every configured symbol.  One-way mode shows BOTH; hedge mode LONG
  and SHORT.
* Answers without lag are kept until the exchange changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec

from sim.venue.config import SymbolConfig
from sim.venue.exchange import Exchange
from sim.venue.formats import fixed, money, padded, plain, to_ms
from sim.venue.history import open_as_of
from sim.venue.margin import (
    MAINTENANCE_RATE,
    NOTHING,
    Needs,
    Opening,
    leverage_of,
    needs,
    opening,
    profit_of,
)
from sim.venue.models import FLAT, ZERO, Account, LegVersion
from sim.venue.payloads import encode
from sim.venue.reads import Reads, Row

# Assets that never moved still need a time: clients skip rows whose time is 0.
OPENED_MS = 1_569_398_400_000


class _Total(msgspec.Struct):
    """Sums over the legs of an account in one asset; ``cross_`` ones leave isolated legs out."""

    profit: Decimal = ZERO
    position: Decimal = ZERO
    orders: Decimal = ZERO
    maintenance: Decimal = ZERO
    isolated: Decimal = ZERO
    cross_profit: Decimal = ZERO
    cross_position: Decimal = ZERO


class AccountView:
    """The projections of accounts that REST serves."""

    def __init__(self, exchange: Exchange, reads: Reads) -> None:
        self._exchange = exchange
        self._reads = reads
        self._kept: dict[tuple[str, str, str | None], tuple[int, bytes]] = {}

    def position_risk(
        self, account: Account, symbol: str | None, now_ns: int, *, every_symbol: bool
    ) -> bytes:
        """Return positionRisk; ``every_symbol`` is version 2."""
        return self._keep(
            account,
            "positionRisk2" if every_symbol else "positionRisk",
            symbol,
            lambda: self._position_rows(account, symbol, now_ns, every_symbol),
        )

    def account(self, account: Account, now_ns: int, *, version: int) -> bytes:
        """Return the account summary, version 2 or 3."""
        return self._keep(
            account,
            f"account{version}",
            None,
            lambda: self._account(account, now_ns, version),
        )

    def balance(self, account: Account, now_ns: int) -> bytes:
        """Return the balances."""
        return self._keep(account, "balance", None, lambda: self._balances(account, now_ns))

    def _keep(
        self, account: Account, name: str, symbol: str | None, build: Callable[[], Any]
    ) -> bytes:
        if not self._reads.show_the_present:
            return encode(build())
        key = (account.name, name, symbol)
        kept = self._kept.get(key)
        if kept is None or kept[0] != self._exchange.revision:
            kept = self._kept[key] = (self._exchange.revision, encode(build()))
        return kept[1]

    # -- positions

    def _legs(
        self, account: Account, symbol: str, now_ns: int, model: str
    ) -> Iterator[tuple[str, LegVersion]]:
        holding = account.holdings.get(symbol)
        at_ns = now_ns - self._reads.lag_ns(model, symbol)
        for side in account.position_sides:
            leg = holding.legs.get(side) if holding is not None else None
            yield side, FLAT if leg is None else leg.as_of(at_ns)

    def _is_in_use(self, account: Account, symbol: str, now_ns: int, model: str) -> bool:
        holding = account.holdings.get(symbol)
        if holding is None:
            return False
        if any(leg.quantity for _, leg in self._legs(account, symbol, now_ns, model)):
            return True
        lag_ns = self._reads.lag_ns(model, symbol)
        return next(open_as_of(holding, now_ns, lag_ns), None) is not None

    def _opening(self, account: Account, symbol: str, now_ns: int, model: str) -> Opening:
        holding = account.holdings.get(symbol)
        if holding is None:
            return {}
        lag_ns = self._reads.lag_ns(model, symbol)
        return opening(open_as_of(holding, now_ns, lag_ns)) if lag_ns else holding.opening

    def _needs(
        self, account: Account, symbol: str, side: str, leg: LegVersion, orders: Opening
    ) -> Needs:
        return needs(
            leg,
            orders.get(side, NOTHING),
            self._exchange.price_of(symbol, "MARK_PRICE"),
            leverage_of(self._exchange, account, symbol),
        )

    def _position_rows(
        self, account: Account, symbol: str | None, now_ns: int, every_symbol: bool
    ) -> list[dict[str, Any]]:
        rows = []
        for name in self._exchange.symbols if symbol is None else (symbol,):
            if not every_symbol and not self._is_in_use(account, name, now_ns, "positionRisk"):
                continue
            orders = self._opening(account, name, now_ns, "positionRisk")
            for side, leg in self._legs(account, name, now_ns, "positionRisk"):
                rows.append(self._position_row(account, name, side, leg, orders, every_symbol))
        return self._reads.visible("positionRisk", rows, _about)

    def _position_row(
        self,
        account: Account,
        name: str,
        side: str,
        leg: LegVersion,
        orders: Opening,
        second_version: bool,
    ) -> dict[str, Any]:
        symbol = self._exchange.symbols[name]
        mark = self._exchange.price_of(name, "MARK_PRICE")
        notional = leg.quantity * mark
        profit = profit_of(leg, mark)
        entry = money(leg.entry_price) if leg.quantity else "0.0"
        isolated = account.isolates(name)
        row: dict[str, Any] = {
            "symbol": name,
            "positionSide": side,
            "positionAmt": padded(leg.quantity, symbol.quantity_precision),
            "entryPrice": entry,
            "breakEvenPrice": entry,
            "markPrice": fixed(mark, 8),
            "unRealizedProfit": fixed(profit, 8),
            "liquidationPrice": "0",
            "isolatedMargin": money(leg.isolated_margin + profit) if isolated else "0",
            "notional": plain(notional),
            "isolatedWallet": plain(leg.isolated_margin),
            "updateTime": to_ms(leg.time_ns),
        }
        if second_version:
            row.update(
                leverage=str(leverage_of(self._exchange, account, name)),
                maxNotionalValue=plain(self._exchange.config.max_notional),
                marginType="isolated" if isolated else "cross",
                isAutoAddMargin="false",
            )
            return row
        row.update(self._margins(account, name, side, leg, orders))
        row.update(marginAsset=symbol.quote_asset, adl=int(bool(leg.quantity)))
        return row

    def _margins(
        self, account: Account, name: str, side: str, leg: LegVersion, orders: Opening
    ) -> dict[str, Any]:
        """Return what positionRisk v3 and account v2 say of the margins of a leg."""
        each = self._needs(account, name, side, leg, orders)
        mark = self._exchange.price_of(name, "MARK_PRICE")
        bids, asks = orders.get(side, NOTHING)
        return {
            "initialMargin": fixed(each.position + each.orders, 8),
            "maintMargin": fixed(abs(leg.quantity) * mark * MAINTENANCE_RATE, 8),
            "positionInitialMargin": fixed(each.position, 8),
            "openOrderInitialMargin": fixed(each.orders, 8),
            "bidNotional": plain(bids),
            "askNotional": plain(asks),
        }

    # -- money

    def _totals(self, account: Account, now_ns: int) -> dict[str, _Total]:
        """Return the sums over all legs, by asset."""
        totals: dict[str, _Total] = {}
        for name, holding in account.holdings.items():
            mark = self._exchange.price_of(name, "MARK_PRICE")
            orders = self._opening(account, name, now_ns, "account")
            isolated = account.isolates(name)
            for side, leg in self._legs(account, name, now_ns, "account"):
                if not leg.quantity and side not in orders:
                    continue
                total = totals.setdefault(holding.symbol.quote_asset, _Total())
                each = self._needs(account, name, side, leg, orders)
                total.profit += each.profit
                total.position += each.position
                total.orders += each.orders
                total.maintenance += abs(leg.quantity) * mark * MAINTENANCE_RATE
                if isolated:
                    total.isolated += leg.isolated_margin
                else:
                    total.cross_profit += each.profit
                    total.cross_position += each.position
        return totals

    def _assets(self, account: Account, now_ns: int) -> list[dict[str, Any]]:
        totals = self._totals(account, now_ns)
        at_ns = now_ns - self._reads.lag_ns("account")
        rows = []
        for asset, wallet in account.wallets.items():
            balance, changed_ns = wallet.as_of(at_ns)
            total = totals.get(asset, _Total())
            crossed = balance - total.isolated
            free = crossed + total.cross_profit - total.cross_position - total.orders
            rows.append(
                {
                    "asset": asset,
                    "walletBalance": fixed(balance, 8),
                    "unrealizedProfit": fixed(total.profit, 8),
                    "marginBalance": fixed(balance + total.profit, 8),
                    "maintMargin": fixed(total.maintenance, 8),
                    "initialMargin": fixed(total.position + total.orders, 8),
                    "positionInitialMargin": fixed(total.position, 8),
                    "openOrderInitialMargin": fixed(total.orders, 8),
                    "crossWalletBalance": fixed(crossed, 8),
                    "crossUnPnl": fixed(total.cross_profit, 8),
                    "availableBalance": fixed(max(ZERO, free), 8),
                    # Profit that is not realised cannot be taken away.
                    "maxWithdrawAmount": fixed(max(ZERO, min(free, crossed)), 8),
                    "marginAvailable": True,
                    "updateTime": to_ms(changed_ns) or OPENED_MS,
                }
            )
        return self._reads.visible("account", rows, _about)

    def _account(self, account: Account, now_ns: int, version: int) -> dict[str, Any]:
        assets = self._assets(account, now_ns)
        # Single-asset mode: Binance's totals count USDT only.
        total = next((row for row in assets if row["asset"] == "USDT"), None)
        fields = {
            "totalInitialMargin": "initialMargin",
            "totalMaintMargin": "maintMargin",
            "totalWalletBalance": "walletBalance",
            "totalUnrealizedProfit": "unrealizedProfit",
            "totalMarginBalance": "marginBalance",
            "totalPositionInitialMargin": "positionInitialMargin",
            "totalOpenOrderInitialMargin": "openOrderInitialMargin",
            "totalCrossWalletBalance": "crossWalletBalance",
            "totalCrossUnPnl": "crossUnPnl",
            "availableBalance": "availableBalance",
            "maxWithdrawAmount": "maxWithdrawAmount",
        }
        body: dict[str, Any] = {}
        if version == 2:
            body.update(
                feeTier=0,
                feeBurn=account.burns_bnb,
                canTrade=account.state != "inactive",
                canDeposit=True,
                canWithdraw=True,
                updateTime=0,
                multiAssetsMargin=account.multi_assets,
                tradeGroupId=-1,
            )
        for name, field in fields.items():
            body[name] = "0.00000000" if total is None else total[field]
        body["assets"] = assets
        body["positions"] = self._account_positions(account, now_ns, every_symbol=version == 2)
        return body

    def _account_positions(
        self, account: Account, now_ns: int, *, every_symbol: bool
    ) -> list[dict[str, Any]]:
        rows = []
        for name, symbol in self._exchange.symbols.items():
            if not every_symbol and not self._is_in_use(account, name, now_ns, "account"):
                continue
            orders = self._opening(account, name, now_ns, "account")
            for side, leg in self._legs(account, name, now_ns, "account"):
                row = self._account_position(account, symbol, side, leg, orders, every_symbol)
                rows.append(row)
        return self._reads.visible("account", rows, _about)

    def _account_position(
        self,
        account: Account,
        symbol: SymbolConfig,
        side: str,
        leg: LegVersion,
        orders: Opening,
        second_version: bool,
    ) -> dict[str, Any]:
        name, mark = symbol.name, self._exchange.price_of(symbol.name, "MARK_PRICE")
        profit, isolated = profit_of(leg, mark), account.isolates(name)
        margins = self._margins(account, name, side, leg, orders)
        row: dict[str, Any] = {
            "symbol": name,
            "positionSide": side,
            "positionAmt": padded(leg.quantity, symbol.quantity_precision),
            "unrealizedProfit": fixed(profit, 8),
            "initialMargin": margins["initialMargin"],
            "maintMargin": margins["maintMargin"],
            "updateTime": to_ms(leg.time_ns),
        }
        if second_version:
            entry = money(leg.entry_price)
            return (
                row
                | margins
                | {
                    "leverage": str(leverage_of(self._exchange, account, name)),
                    "isolated": isolated,
                    "entryPrice": entry,
                    "breakEvenPrice": entry,
                    "maxNotional": plain(self._exchange.config.max_notional),
                }
            )
        return row | {
            "isolatedMargin": money(leg.isolated_margin + profit) if isolated else "0",
            "isolatedWallet": plain(leg.isolated_margin),
            "notional": plain(leg.quantity * mark),
        }

    def _balances(self, account: Account, now_ns: int) -> list[dict[str, Any]]:
        return [
            {
                "accountAlias": account.name,
                "asset": row["asset"],
                "balance": row["walletBalance"],
                "crossWalletBalance": row["crossWalletBalance"],
                "crossUnPnl": row["crossUnPnl"],
                "availableBalance": row["availableBalance"],
                "maxWithdrawAmount": row["maxWithdrawAmount"],
                "marginAvailable": True,
                "updateTime": row["updateTime"],
            }
            for row in self._assets(account, now_ns)
        ]


def _about(row: dict[str, Any]) -> Row:
    return Row(
        symbol=row.get("symbol"), position_side=row.get("positionSide"), asset=row.get("asset")
    )
