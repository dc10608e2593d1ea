"""Read models of money and positions: account, balance, positionRisk.

Rules:

* Profit is marked at the last price.  There is no liquidation and no margin check:
  margins are shown for clients that read them, and never refuse an order.
* positionRisk v3 and account v3 list only legs with a position, or of symbols with open
  orders; v2 lists every configured symbol.  One-way mode shows BOTH; hedge mode LONG
  and SHORT.
* Answers without lag are kept until the exchange changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from sim.venue.events import open_notional
from sim.venue.exchange import Exchange
from sim.venue.formats import fixed, plain, to_ms
from sim.venue.history import Reads, open_as_of
from sim.venue.models import FLAT, MONEY_UNIT, ZERO, Account, LegVersion
from sim.venue.payloads import encode

# Assets that never moved still need a time: clients skip rows whose time is 0.
OPENED_MS = 1_569_398_400_000
_MAINTENANCE_RATE = Decimal("0.004")
_MAX_NOTIONAL = "40000000"


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
        if self._reads.lagging:
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
        for side in ("LONG", "SHORT") if account.hedge else ("BOTH",):
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

    def _leverage(self, account: Account, symbol: str) -> int:
        return account.leverage.get(symbol, self._exchange.config.leverage)

    def _position_rows(
        self, account: Account, symbol: str | None, now_ns: int, every_symbol: bool
    ) -> list[dict[str, Any]]:
        rows = []
        for name in self._exchange.symbols if symbol is None else (symbol,):
            if not every_symbol and not self._is_in_use(account, name, now_ns, "positionRisk"):
                continue
            for side, leg in self._legs(account, name, now_ns, "positionRisk"):
                rows.append(self._position_row(account, name, side, leg, every_symbol))
        return rows

    def _position_row(
        self, account: Account, name: str, side: str, leg: LegVersion, second_version: bool
    ) -> dict[str, Any]:
        symbol = self._exchange.symbols[name]
        mark = self._exchange.price_of(name, "MARK_PRICE")
        notional = leg.quantity * mark
        leverage = self._leverage(account, name)
        margin = fixed(abs(notional) / leverage, 8)
        entry = plain(leg.entry_price.quantize(MONEY_UNIT)) if leg.quantity else "0.0"
        isolated_margin = plain(account.isolated_margins.get((name, side), ZERO))
        row: dict[str, Any] = {
            "symbol": name,
            "positionSide": side,
            "positionAmt": fixed(leg.quantity, symbol.quantity_precision),
            "entryPrice": entry,
            "breakEvenPrice": entry,
            "markPrice": fixed(mark, 8),
            "unRealizedProfit": fixed(_profit(leg, mark), 8),
            "liquidationPrice": "0",
            "isolatedMargin": isolated_margin,
            "notional": plain(notional),
            "isolatedWallet": isolated_margin,
            "updateTime": to_ms(leg.time_ns),
        }
        if second_version:
            isolated = account.margin_types.get(name) == "ISOLATED"
            row.update(
                leverage=str(leverage),
                maxNotionalValue=_MAX_NOTIONAL,
                marginType="isolated" if isolated else "cross",
                isAutoAddMargin="false",
            )
            return row
        holding = account.holdings.get(name)
        row.update(
            marginAsset=symbol.quote_asset,
            initialMargin=margin,
            maintMargin=fixed(abs(notional) * _MAINTENANCE_RATE, 8),
            positionInitialMargin=margin,
            openOrderInitialMargin="0",
            adl=0,
            bidNotional="0" if holding is None else plain(open_notional(holding, "BUY")),
            askNotional="0" if holding is None else plain(open_notional(holding, "SELL")),
        )
        return row

    # -- money

    def _totals(self, account: Account, now_ns: int) -> dict[str, tuple[Decimal, Decimal]]:
        """Return unrealised profit and absolute notional over leverage, by asset."""
        totals: dict[str, tuple[Decimal, Decimal]] = {}
        for name, symbol in self._exchange.symbols.items():
            mark = self._exchange.price_of(name, "MARK_PRICE")
            for _, leg in self._legs(account, name, now_ns, "account"):
                if leg.quantity:
                    profit, margin = totals.get(symbol.quote_asset, (ZERO, ZERO))
                    totals[symbol.quote_asset] = (
                        profit + _profit(leg, mark),
                        margin + abs(leg.quantity) * mark / self._leverage(account, name),
                    )
        return totals

    def _assets(self, account: Account, now_ns: int) -> list[dict[str, Any]]:
        totals = self._totals(account, now_ns)
        at_ns = now_ns - self._reads.lag_ns("account")
        rows = []
        for asset, wallet in account.wallets.items():
            balance, changed_ns = wallet.as_of(at_ns)
            profit, margin = totals.get(asset, (ZERO, ZERO))
            free = fixed(max(ZERO, balance + profit - margin), 8)
            rows.append(
                {
                    "asset": asset,
                    "walletBalance": fixed(balance, 8),
                    "unrealizedProfit": fixed(profit, 8),
                    "marginBalance": fixed(balance + profit, 8),
                    "maintMargin": fixed(margin * _MAINTENANCE_RATE, 8),
                    "initialMargin": fixed(margin, 8),
                    "positionInitialMargin": fixed(margin, 8),
                    "openOrderInitialMargin": "0.00000000",
                    "crossWalletBalance": fixed(balance, 8),
                    "crossUnPnl": fixed(profit, 8),
                    "availableBalance": free,
                    "maxWithdrawAmount": free,
                    "marginAvailable": True,
                    "updateTime": to_ms(changed_ns) or OPENED_MS,
                }
            )
        return rows

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
                feeBurn=False,
                canTrade=True,
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
            mark = self._exchange.price_of(name, "MARK_PRICE")
            for side, leg in self._legs(account, name, now_ns, "account"):
                leverage = self._leverage(account, name)
                row: dict[str, Any] = {
                    "symbol": name,
                    "positionSide": side,
                    "positionAmt": fixed(leg.quantity, symbol.quantity_precision),
                    "unrealizedProfit": fixed(_profit(leg, mark), 8),
                    "isolatedMargin": "0",
                    "notional": plain(leg.quantity * mark),
                    "isolatedWallet": "0",
                    "initialMargin": fixed(abs(leg.quantity) * mark / leverage, 8),
                    "maintMargin": fixed(abs(leg.quantity) * mark * _MAINTENANCE_RATE, 8),
                    "updateTime": to_ms(leg.time_ns),
                }
                if every_symbol:
                    row.update(
                        entryPrice=plain(leg.entry_price.quantize(MONEY_UNIT)),
                        leverage=str(leverage),
                        isolated=account.margin_types.get(name) == "ISOLATED",
                        maxNotional=_MAX_NOTIONAL,
                    )
                rows.append(row)
        return rows

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


def _profit(leg: LegVersion, mark: Decimal) -> Decimal:
    return (mark - leg.entry_price) * leg.quantity if leg.quantity else ZERO
