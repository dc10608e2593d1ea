"""Whatever is done to the venue, its books add up and its views agree with its truth."""

from __future__ import annotations

import hmac
import random
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.venue import Request, Venue, VenueConfig, VenueError, clearing, symbol_config
from sim.venue.config import AccountConfig
from sim.venue.margin import available
from sim.venue.matching import MODES

type Step = tuple[Any, ...]

START_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000
SYMBOL = "BTCUSDT"

QUANTITIES = st.integers(1, 30).map(lambda steps: Decimal(steps) / 100)
PRICES = st.integers(490_000, 510_000).map(lambda ticks: Decimal(ticks) / 10)
SIDES = st.sampled_from(["BUY", "SELL"])
LEGS = st.sampled_from(["LONG", "SHORT"])
INDEXES = st.integers(0, 12)
TYPES = st.sampled_from(["ISOLATED", "CROSSED"])
FLAGS = st.sampled_from(["true", "false"])


def params(required: dict[str, Any], **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return parameters of a request, some of which may be missing."""
    return st.fixed_dictionaries(required, optional=optional)


ORDERS = params(
    {"side": SIDES, "quantity": QUANTITIES, "positionSide": LEGS},
    price=PRICES,
    timeInForce=st.sampled_from(["GTC", "IOC", "FOK", "GTX", "GTD"]),
    reduceOnly=st.sampled_from(["false", "false", "true"]),
    selfTradePreventionMode=st.sampled_from(sorted(MODES)),
    priceMatch=st.sampled_from(["OPPONENT", "QUEUE_5"]),
    newClientOrderId=st.sampled_from(["A", "B", "C"]),
)
ALGOS = params(
    {
        "side": SIDES,
        "type": st.sampled_from(
            ["STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"]
        ),
        "triggerPrice": PRICES,
        "quantity": QUANTITIES,
        "positionSide": LEGS,
        "price": PRICES,
        "callbackRate": st.sampled_from(["0.1", "0.5", "1"]),
    },
    closePosition=FLAGS,
    timeInForce=st.sampled_from(["GTC", "IOC", "FOK", "GTX", "GTD", "GTE_GTC"]),
    reduceOnly=FLAGS,
    activatePrice=PRICES,
    workingType=st.sampled_from(["CONTRACT_PRICE", "MARK_PRICE"]),
    priceProtect=FLAGS,
    selfTradePreventionMode=st.sampled_from(["NONE", "EXPIRE_BOTH"]),
    clientAlgoId=st.sampled_from(["A", "B", "S"]),
)
SETTINGS = st.one_of(
    st.tuples(st.just("leverage"), params({"leverage": st.sampled_from([1, 20, 125])})),
    st.tuples(st.just("marginType"), params({"marginType": TYPES})),
    st.tuples(
        st.just("positionMargin"),
        params({"amount": st.integers(1, 2000), "type": st.integers(1, 2)}, positionSide=LEGS),
    ),
    st.tuples(st.just("multiAssetsMargin"), params({"multiAssetsMargin": FLAGS})),
    st.tuples(st.just("positionSide/dual"), params({"dualSidePosition": FLAGS})),
    st.tuples(st.just("feeBurn"), params({"feeBurn": FLAGS})),
    st.tuples(st.just("countdownCancelAll"), params({"countdownTime": st.integers(0, 9000)})),
)  # fmt: skip
SHAPES = st.sampled_from(["trade", "calculated"])
PARTS = st.lists(st.sampled_from([Decimal("0.25"), Decimal("0.5")]), min_size=1, max_size=2)
OFTEN = (
    st.tuples(st.just("order"), ORDERS),
    st.tuples(st.just("order"), ORDERS),
    st.tuples(st.just("batch"), st.lists(ORDERS, min_size=1, max_size=3)),
    st.tuples(st.just("algo"), ALGOS),
    st.tuples(st.just("fill"), INDEXES, QUANTITIES, PRICES, st.booleans()),
    st.tuples(st.just("price"), PRICES, st.none() | PRICES),
)
NOW_AND_THEN = (
    st.tuples(st.just("modify"), INDEXES, QUANTITIES, PRICES, st.booleans()),
    st.tuples(st.just("cancel"), INDEXES),
    st.tuples(st.just("cancel all"), st.sampled_from(["allOpenOrders", "algoOpenOrders"])),
    st.tuples(st.just("cancel batch"), st.lists(INDEXES, min_size=1, max_size=3)),
    st.tuples(st.just("set"), SETTINGS),
    st.tuples(st.just("depth"), QUANTITIES),
    st.tuples(st.just("fund"), st.sampled_from([Decimal("0.0001"), Decimal("-0.01")])),
    st.tuples(st.just("liquidate"), LEGS, PARTS, SHAPES, st.booleans()),
    st.tuples(st.just("deleverage"), LEGS, PARTS, SHAPES),
    st.tuples(st.just("trigger"), INDEXES),
    st.tuples(st.just("expire"), INDEXES, st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from([1, 5, 700, 7200])),
)
SELDOM = (
    st.tuples(st.just("settle"), PRICES),
    st.tuples(st.just("status"), st.sampled_from(["TRADING_HALT", "CLOSE"])),
    st.tuples(st.just("restrict"), st.sampled_from(["reduce-only", "inactive"])),
    st.tuples(st.just("call"), LEGS),
    st.tuples(st.just("transfer"), st.integers(-3000, 3000)),
)
STEPS: st.SearchStrategy[Step] = st.sampled_from(
    (*OFTEN * 4, *NOW_AND_THEN, *SELDOM)  # a choice is as likely as it is often in the list
).flatmap(lambda step: step)


class Play:
    """One venue to which steps are done; ``answers`` is all that it said."""

    def __init__(self, config: VenueConfig, seed: int) -> None:
        self.venue = Venue(config, random.Random(seed))
        self.now_ns = START_NS
        self.answers: list[bytes] = []
        self.account = config.accounts[0]
        # Somebody else has a position, too, when a symbol is settled or funded.
        self.venue.web_submit(
            "other", SYMBOL, side="SELL", quantity=Decimal("0.5"), now_ns=self.now_ns,
            position_side="SHORT" if config.position_mode == "hedge" else None,
        )  # fmt: skip
        self.send("POST", "listenKey")
        self.venue.open_stream("/ws?listenKey=" + self.read()["listenKey"], self.now_ns)

    def read(self) -> Any:
        return msgspec.json.decode(self.answers[-1])

    def send(self, method: str, path: str, **asked: Any) -> None:
        asked |= {"symbol": SYMBOL, "timestamp": self.now_ns // 1_000_000}
        query = urlencode(asked)
        secret = self.account.api_secret.encode()
        query += "&signature=" + hmac.digest(secret, query.encode(), "sha256").hex()
        headers = (("X-MBX-APIKEY", self.account.api_key),)
        path = path if path.startswith("/") else f"/fapi/v1/{path}"
        answer = self.venue.handle(Request(method, path, query, headers, b""), self.now_ns)
        self.answers.append(answer.body)

    def terms(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters of an order, whose date is relative to now."""
        found = {name: f"{v:f}" if isinstance(v, Decimal) else v for name, v in asked.items()}
        found.pop("reduceOnly" if self.holder.hedge else "positionSide", None)
        if found.get("timeInForce") == "GTD":
            found["goodTillDate"] = self.now_ns // 1_000_000 + 700_000
        if "type" not in found:
            is_limit = "price" in found or "priceMatch" in found
            found["type"] = "LIMIT" if is_limit else "MARKET"
            if is_limit:
                found.setdefault("timeInForce", "GTC")
            else:
                found.pop("timeInForce", None)
            if "priceMatch" in found:
                found.pop("price", None)
        elif found["type"].endswith("_MARKET"):
            found.pop("price")
            if found["type"].startswith("TRAIL"):
                found.pop("closePosition", None)
            if found.get("closePosition") == "true":
                found.pop("quantity")
        return found

    @property
    def holder(self) -> Any:
        return self.venue.exchange.accounts["main"]

    def order(self, index: int) -> Any:
        """Return one of the orders, the open ones first.  Raises IndexError without any."""
        orders = [order for order in self.venue.exchange.orders if order.account == "main"]
        found = [order for order in orders if order.current.is_open] or orders
        return found[index % (len(found) or 1)]

    def waiting(self, index: int) -> str:
        """Return the client id of a conditional order that waits.  Raises IndexError."""
        algos = self.venue.exchange.algos
        found = [order for order in algos.orders if order.current.is_open]
        return str(found[index % (len(found) or 1)].ticket.client_algo_id)

    def slices(self, side: str, parts: list[Decimal]) -> tuple[Any, list[Decimal]]:
        leg = self.venue.exchange.leg(self.holder, SYMBOL, side if self.holder.hedge else "BOTH")
        return leg, [abs(leg.current.quantity) * part for part in parts]

    def do(self, step: Step) -> None:
        venue, now_ns, price = self.venue, self.now_ns, Decimal(49000)
        match step:
            case ("order", asked):
                self.send("POST", "order", **self.terms(asked))
            case ("batch", several):
                terms = [{"symbol": SYMBOL, **self.terms(each)} for each in several]
                self.send("POST", "batchOrders", batchOrders=msgspec.json.encode(terms).decode())
            case ("algo", asked):
                self.send("POST", "algoOrder", algoType="CONDITIONAL", **self.terms(asked))
            case ("modify", index, quantity, limit, True):
                venue.web_modify(
                    "main", SYMBOL, order_id=self.order(index).order_id, quantity=quantity,
                    price=limit, now_ns=now_ns,
                )  # fmt: skip
            case ("modify", index, quantity, limit, _):
                order = self.order(index)
                self.send(
                    "PUT", "order", orderId=order.order_id, side=order.ticket.side,
                    quantity=quantity, price=limit,
                )  # fmt: skip
            case ("cancel", index):
                self.send("DELETE", "order", orderId=self.order(index).order_id)
            case ("cancel all", path):
                self.send("DELETE", path)
            case ("cancel batch", indexes):
                ids = [self.order(index).order_id for index in indexes]
                self.send("DELETE", "batchOrders", orderIdList=str(ids))
            case ("set", (path, asked)):
                self.send("POST", path, **asked)
            case ("fill", index, quantity, paid, maker):
                order = self.order(index)
                venue.fill(
                    "main", SYMBOL, order_id=order.order_id, quantity=min(quantity, order.rest),
                    price=paid if maker else None, maker=maker, now_ns=now_ns,
                )  # fmt: skip
            case ("price", last, mark):
                venue.set_price(SYMBOL, last, now_ns, mark=mark)
            case ("depth", quantity):
                venue.set_depth(SYMBOL, quantity, now_ns)
            case ("fund", rate):
                venue.change(now_ns, clearing.fund, SYMBOL, rate, now_ns)
            case ("settle", paid):
                venue.change(now_ns, clearing.settle, SYMBOL, paid, now_ns)
            case ("status", status):
                venue.change(now_ns, clearing.set_status, SYMBOL, status)
            case ("liquidate", side, parts, shape, insured):
                leg, sizes = self.slices(side, parts)
                rest = abs(leg.current.quantity) - sum(sizes) if insured else Decimal(0)
                venue.change(
                    now_ns, clearing.liquidate, leg, sizes, now_ns, price=price, shape=shape,
                    insured=rest, fee=Decimal(1),
                )  # fmt: skip
            case ("deleverage", side, parts, shape):
                leg, sizes = self.slices(side, parts)
                venue.change(
                    now_ns, clearing.deleverage, leg, sizes[0], now_ns, price=price, shape=shape
                )
            case ("call", side):
                venue.change(now_ns, clearing.warn, [self.slices(side, [])[0]], now_ns)
            case ("trigger", index):
                venue.trigger("main", SYMBOL, client_order_id=self.waiting(index), now_ns=now_ns)
            case ("expire", index, waits):
                name = self.waiting(index) if waits else self.order(index).ticket.client_order_id
                venue.expire("main", SYMBOL, client_order_id=name, now_ns=now_ns, reason=7)
            case ("transfer", amount):
                venue.transfer("main", "USDT", Decimal(amount), now_ns)
            case ("restrict", state):
                self.holder.state = state
            case ("wait", seconds):
                self.now_ns += seconds * SECOND_NS
                venue.advance(self.now_ns)

    def reopen(self) -> None:
        """Let the account trade again, so that few steps in a row are refused."""
        self.holder.state = "normal"
        self.venue.change(self.now_ns, clearing.set_status, SYMBOL, "TRADING")

    def check(self) -> None:
        """Check the books, and that the views say what the books say."""
        venue = self.venue
        venue.check_invariants()
        exchange, account = venue.exchange, self.holder
        self.send("GET", "/fapi/v3/account")
        rows = {row["asset"]: row for row in self.read()["assets"]}
        free = max(Decimal(0), available(exchange, account, "USDT"))
        assert abs(Decimal(rows["USDT"]["availableBalance"]) - free) < Decimal("0.00000002")
        crossed = account.wallets["USDT"].balance - account.isolated("USDT")
        assert Decimal(rows["USDT"]["crossWalletBalance"]) == crossed
        held: dict[tuple[str, str], Decimal] = {}
        for trade in venue.trades():
            key = trade.account, trade.position_side
            signed = trade.quantity if trade.side == "BUY" else -trade.quantity
            held[key] = held.get(key, Decimal(0)) + signed
        assert {(leg.account, leg.position_side): leg.quantity for leg in venue.positions()} == {
            key: quantity for key, quantity in held.items() if quantity
        }
        for (name, side), quantity in held.items():
            assert venue.position_at(name, SYMBOL, side, self.now_ns).quantity == quantity
        self.send("GET", "/fapi/v2/positionRisk")
        for row in self.read():
            quantity = held.get(("main", row["positionSide"]), Decimal(0))
            assert Decimal(row["positionAmt"]) == quantity
        self.send("GET", "openOrders")
        assert [row["orderId"] for row in self.read()] == [
            order.order_id for order in exchange.orders if order.current.is_open
        ]
        self.send("GET", "openAlgoOrders")
        assert [row["algoId"] for row in self.read()] == [
            order.algo_id for order in exchange.algos.orders if order.current.is_open
        ]
        self.send("GET", "userTrades", limit=1000)
        assert [(row["orderId"], row["id"]) for row in self.read()] == [
            (trade.order_id, trade.trade_id) for trade in venue.trades() if trade.account == "main"
        ]

    def run(self, steps: list[Step], *, checked: bool) -> None:
        for number, step in enumerate(steps):
            self.now_ns += 300_000_000
            if number % 4 == 0:
                self.reopen()
            try:
                self.do(step)
            except (VenueError, IndexError):
                continue
            finally:
                self.answers += [frame.text.encode() for frame in self.venue.take_frames()]
            if checked:
                self.check()


@pytest.mark.parametrize("mode", ["one-way", "hedge"])
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(steps=st.lists(STEPS, min_size=25, max_size=50), seed=st.integers(0, 3))
def test_the_books_add_up_after_every_step(mode: Any, steps: list[Step], seed: int) -> None:
    config = VenueConfig(
        position_mode=mode,
        symbols=(symbol_config(SYMBOL),),
        accounts=(
            AccountConfig(balances={"USDT": Decimal(5000), "BNB": Decimal("0.01")}),
            AccountConfig(name="other", api_key="other", api_secret="other"),
        ),
        weight_limit_1m=1_000_000,
    )
    Play(config, seed).run(steps, checked=True)
    one, two = Play(config, seed), Play(config, seed)
    one.run(steps, checked=False)
    two.run(steps, checked=False)
    assert one.answers == two.answers
    assert (one.venue.trades(), one.venue.orders()) == (two.venue.trades(), two.venue.orders())
