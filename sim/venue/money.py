"""Wallets and the income history: every change of a balance is a row of income."""

from __future__ import annotations

import random
from decimal import Decimal
from functools import partial

from sim.observation import VenueTrade
from sim.venue.config import VenueConfig
from sim.venue.models import MONEY_UNIT, ZERO, Account, Income, Wallet


def wallet(account: Account, asset: str) -> Wallet:
    """Return the account's wallet of an asset, made on first use."""
    found = account.wallets.get(asset)
    if found is None:
        found = account.wallets[asset] = Wallet(asset, ZERO)
    return found


BNB_DISCOUNT = Decimal("0.9")
"""What is left of a commission that is paid in BNB."""


def commission_of(
    config: VenueConfig, account: Account, quote_asset: str, notional: Decimal, *, maker: bool
) -> tuple[Decimal, str]:
    """Return the commission of a trade and the asset that it is paid in."""
    paid = notional * (config.maker_fee if maker else config.taker_fee)
    held = account.wallets.get("BNB")
    if account.burns_bnb and held is not None:
        in_bnb = (paid * BNB_DISCOUNT / config.bnb_price).quantize(MONEY_UNIT)
        if held.balance >= in_bnb:
            return in_bnb, "BNB"
    return paid.quantize(MONEY_UNIT), quote_asset


class Bookkeeper:
    """Books money, with transaction ids that grow."""

    def __init__(self, rng: random.Random) -> None:
        self._transaction_id = rng.randrange(10**17, 10**18)

    def book(
        self,
        account: Account,
        kind: str,
        amount: Decimal,
        asset: str,
        now_ns: int,
        *,
        symbol: str = "",
        trade_id: int = 0,
    ) -> Decimal:
        """Change a wallet, tell why, and return its balance.  Nothing moves by zero."""
        held = wallet(account, asset)
        if amount:
            held.add(amount, now_ns)
            self._transaction_id += 1
            account.income.append(
                Income(now_ns, symbol, kind, amount, asset, self._transaction_id, trade_id)
            )
            account.income_times.append(now_ns)
        return held.balance

    def book_trade(
        self, account: Account, trade: VenueTrade, realized: Decimal, quote_asset: str
    ) -> tuple[tuple[str, Decimal, Decimal], ...]:
        """Book profit and commission of a trade; return the balances that they changed.

        Each comes with what of it is crossed.  A trade without commission leaves no row of it:
        nothing moved.
        """
        book = partial(
            self.book, account, now_ns=trade.time_ns, symbol=trade.symbol, trade_id=trade.trade_id
        )
        asset = trade.commission_asset
        balance = book("REALIZED_PNL", realized, quote_asset)
        paid = book("COMMISSION", -trade.commission, asset)
        isolated = account.isolated(quote_asset)
        if asset == quote_asset:
            return ((quote_asset, paid, paid - isolated),)
        return ((quote_asset, balance, balance - isolated), (asset, paid, paid))
