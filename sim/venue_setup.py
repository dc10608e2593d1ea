"""The fake venue that a scenario describes, and who has which access to it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from sim.plain import Access
from sim.scenario import model as m
from sim.venue import VenueConfig
from sim.venue.config import AccountConfig, symbol_config
from sim.venue.keys import ApiKey
from sim.venue.models import Account


def venue_config(venue: m.Venue) -> VenueConfig:
    """Return the fake venue that a scenario describes."""
    symbols = tuple(
        msgspec.structs.replace(symbol_config(name), price=venue.prices[name])
        if name in venue.prices
        else symbol_config(name)
        for name in venue.symbols
    )
    return VenueConfig(
        position_mode=venue.position_mode,
        symbols=symbols,
        accounts=tuple(
            _account_config(name, account) for name, account in venue.each_account.items()
        ),
        maker_fee=venue.fees.get("maker", VenueConfig().maker_fee),
        taker_fee=venue.fees.get("taker", VenueConfig().taker_fee),
        weight_limit_1m=venue.limits.weight_1m,
        order_limit_10s=venue.limits.orders_10s,
        order_limit_1m=venue.limits.orders_1m,
        ban_after=venue.limits.ban_after,
        **knobs_of(venue),
    )


def accesses_of(scenario: m.Scenario, node: str, held: Mapping[str, Account]) -> tuple[Access, ...]:
    """Return the accounts that a node trades on, each with its key and its venue."""
    accounts, spec = scenario.venue.each_account, scenario.each_node[node]
    return tuple(
        Access(
            name,
            ApiKey.named(spec.key or accounts[name].keys[0], spec.key_type),
            venue,
            partial(getattr, held[name], "hedge"),
        )
        for name, venue in m.venues_of(scenario.accounts_of(node)).items()
    )


def knobs_of(venue: m.Venue) -> dict[str, Any]:
    """Return the knobs of a scenario in the words of `VenueConfig`, which are the same."""
    turned = msgspec.structs.asdict(venue.knobs)
    if turned["bnb_price"] is None:
        del turned["bnb_price"]
    return turned


def _account_config(name: str, account: m.Terms) -> AccountConfig:
    first, *others = (ApiKey.named(key) for key in account.keys)
    # Whoever has a key has one of each type; a node says which it uses.
    others += [ApiKey.named(key, "ed25519") for key in account.keys]
    return AccountConfig(
        name=name,
        api_key=first.api_key,
        api_secret=first.api_secret,
        more_keys=tuple(others),
        balances=dict(account.balances),
        position_mode=account.position_mode,
    )
