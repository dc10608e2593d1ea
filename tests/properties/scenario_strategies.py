"""Hypothesis strategies that draw whole, valid scenarios.

A timeline is a list of words; each becomes a record if it can happen at that
point of the story and is passed over if not, so that shrinking may delete any.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, NoReturn, get_args, get_origin

import msgspec
from hypothesis import strategies as st
from msgspec import NODEFAULT, UNSET

from sim.fuzz.values import alternatives
from sim.scenario import actions as a
from sim.scenario import model as m
from sim.scenario import values as v
from sim.scenario.checks.timeline import TimelineCheck
from sim.scenario.terms import Knobs, Limits
from sim.scenario.words import Word, words

SYMBOLS = ("BTCUSDT", "ETHUSDT", "XRPUSDT", "SOLUSDT")
STRATEGIES = ("S-001", "S-002", "Maker-A-7")
SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS

# Each of these means something else to a YAML reader when it is printed carelessly.
TRICKY = (
    "on", "No", "~", "null", "true", "1", "0o17", "1_000", ".inf", "1e3", "2026-01-01", "1:30",
    "a: b", "a:", "a #b", "# a", "- a", "a, b", "{}", "[a]", "'a'", '"a"', "a\\b", "!a", "&a", "*a",
    "%a", "@a", "`a`", "|", ">", "?", "---", "<<", "=", "naïve", "日本", "a  b",
)  # fmt: skip


# What `str.isprintable` lets through: no control characters, no space but the usual one.
PRINTABLE = st.characters(codec="utf-8", exclude_categories=("C", "Z"), include_characters=" ")


def texts() -> st.SearchStrategy[str]:
    """One line of text for people, without space at its ends."""
    drawn = st.text(PRINTABLE, max_size=20).map(lambda text: text.strip() or "-")
    return st.one_of(st.sampled_from(TRICKY), drawn)


def stories() -> st.SearchStrategy[str]:
    """Several lines of text, some indented, some empty, none of them at the ends."""
    lines = st.one_of(st.just(""), texts(), texts().map("  {}".format))
    return st.lists(lines, max_size=4).map(lambda all_: "\n".join(all_).strip() or "-")


def traded_prices() -> st.SearchStrategy[Decimal]:
    """Prices on the tick of every symbol."""
    return st.integers(1, 10**6).map(Decimal)


def decimals(greatest: int = 10**9) -> st.SearchStrategy[Decimal]:
    """Positive decimals, also with needless zeros and with exponents."""
    numbers = st.builds(
        lambda units, places: Decimal(units).scaleb(-places),
        st.integers(1, greatest),
        st.integers(0, 8),
    )
    return st.one_of(numbers, numbers.map(Decimal.normalize))


def spans(least_ns: int = 0) -> st.SearchStrategy[int]:
    """Durations, round ones first."""
    round_ones = (SECOND_NS, 1_000_000, 60 * SECOND_NS, DAY_NS + 1, least_ns)
    return st.one_of(st.sampled_from(round_ones), st.integers(least_ns, 10 * DAY_NS))


@st.composite
def scenarios(draw: st.DrawFn, max_records: int = 12) -> m.Scenario:
    """A valid scenario: reading its print gives it back."""
    venue = draw(venues())
    who = draw(casts(venue))
    told = draw(st.lists(st.sampled_from(tuple(a.ACTIONS)), max_size=max_records))
    story = _Story(draw, scenario_of(venue, who, []))
    for word in told:
        story.tell(word)
    shows = draw(st.sampled_from(m.PROPERTIES))
    return m.Scenario(
        title=draw(texts()),
        story=draw(st.none() | stories()),
        reference=draw(st.none() | texts()),
        shows=shows,
        seed=draw(st.integers(0, 2**53)),
        venue=venue,
        **who,
        timeline=tuple(story.records),
        expect=draw(expectations(venue)),
        known=draw(knowledge(shows)),
    )


@st.composite
def venues(draw: st.DrawFn) -> m.Venue:
    symbols = draw(st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=3, unique=True))
    latency = st.tuples(st.integers(0, 500), st.integers(0, 500)).map(sorted).map(tuple)
    return m.Venue(
        position_mode=draw(MODES),
        symbols=tuple(symbols),
        prices=draw(st.dictionaries(st.sampled_from(symbols), traded_prices())),
        balances=draw(
            st.just({"USDT": Decimal(100000)})
            | st.dictionaries(
                st.sampled_from(("USDT", "BNB", "1INCH")), st.just(Decimal("0.00")) | decimals()
            )
        ),
        fees=draw(st.dictionaries(st.sampled_from(("maker", "taker")), st.just(Decimal(0)))),
        latency_ms=draw(st.none() | latency),
        limits=draw(st.builds(Limits, ban_after=st.integers(1, 99))),
        knobs=draw(st.builds(Knobs)),
        accounts=draw(st.just({}) | accounts()),
    )


MODES = st.sampled_from(("one-way", "hedge"))


@st.composite
def accounts(draw: st.DrawFn) -> dict[str, m.Account]:
    names = draw(st.lists(st.sampled_from(("main", "second", "on")), min_size=1, unique=True))
    money = st.dictionaries(st.sampled_from(("USDT", "BNB")), decimals())
    return {
        name: m.Account(
            position_mode=draw(st.none() | MODES),
            balances=draw(st.none() | money),
            keys=draw(st.none() | st.sampled_from(((name,), (f"{name}_1", f"{name}_2")))),
        )
        for name in names
    }


@st.composite
def casts(draw: st.DrawFn, venue: m.Venue) -> dict[str, Any]:
    """The node or the nodes of a scenario, by the fields that hold them."""
    if draw(st.booleans()):
        return {"node": draw(nodes(venue))}
    names = draw(st.lists(st.sampled_from(("A", "B", "NO")), min_size=1, unique=True))
    return {"nodes": {name: draw(nodes(venue)) for name in names}}


@st.composite
def nodes(draw: st.DrawFn, venue: m.Venue) -> m.Node:
    several = tuple(draw(st.permutations(tuple(venue.each_account))))
    accounts = draw(st.none() | st.just(several))
    account = None if accounts else draw(st.none() | st.sampled_from(several))
    terms = venue.each_account[account or venue.default_account]
    claims = draw(claimed(venue, STRATEGIES))
    running = tuple(dict.fromkeys(("S-001", *sorted(claims))))
    checks = st.one_of(st.just(UNSET), st.none(), intervals())
    nets = terms.position_mode == "one-way" and not accounts
    broker = draw(st.none() | brokers()) if nets else None
    return m.Node(
        account=account,
        key=None if accounts else draw(st.none() | st.sampled_from(terms.keys)),
        key_type="hmac" if broker else draw(st.sampled_from(("hmac", "ed25519"))),
        accounts=accounts,
        starts_ns=draw(st.just(0) | spans()),
        claims=claims,
        strategies=tuple(draw(st.just(running) | st.permutations(STRATEGIES))),
        instruments=None
        if accounts
        else draw(st.none() | st.just(tuple(f"{s}-PERP.BINANCE" for s in venue.symbols))),
        reconciliation_interval_secs=draw(st.just(300.0) | intervals()),
        reconciliation_lookback_mins=draw(st.none() | st.integers(1, 10_000)),
        open_check_interval_secs=draw(checks),
        position_check_interval_secs=draw(checks),
        inflight_check_interval_ms=draw(st.sampled_from((UNSET, None, 2000))),
        exec_engine=draw(exec_engines(is_several=bool(accounts))),
        exec_client={} if broker else draw(st.fixed_dictionaries({}, optional=EXEC_CLIENT)),
        broker=broker,
    )


def brokers() -> st.SearchStrategy[m.Broker]:
    return st.builds(
        m.Broker,
        venue=st.sampled_from(("BROKER", "IB", "NO", "ON")),
        positions=st.sampled_from(("answers", "empty", "fails")),
        default=st.booleans(),
    )


@st.composite
def claimed(
    draw: st.DrawFn, venue: m.Venue, strategies: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    owners = draw(st.lists(st.sampled_from(strategies), max_size=len(venue.symbols)))
    claims: dict[str, tuple[str, ...]] = {}
    for owner, symbol in zip(owners, venue.symbols, strict=False):
        claims[owner] = (*claims.get(owner, ()), f"{symbol}-PERP.BINANCE")
    return claims


EXEC_ENGINE: dict[str, st.SearchStrategy[Any]] = {
    "open_check_open_only": st.booleans(),
    "qsize": st.integers(1, 10**6),
    "own_books_audit_interval_secs": st.none() | st.sampled_from((0.5, 1e-6, 60.0)),
    "reconciliation_instrument_ids": st.lists(st.just("BTCUSDT-PERP.BINANCE"), max_size=2),
    "filtered_client_order_ids": st.lists(st.sampled_from(("O-1", "on", "1")), max_size=2),
}

EXEC_CLIENT: dict[str, st.SearchStrategy[Any]] = {
    "max_retries": st.none() | st.integers(1, 10),
    "retry_delay_initial_ms": st.integers(1, 10**6),
    "use_trade_lite": st.booleans(),
}


def exec_engines(*, is_several: bool) -> st.SearchStrategy[dict[str, Any]]:
    """Options of the engine, without the one that a node on several accounts cannot have."""
    left_out = "reconciliation_instrument_ids" if is_several else ""
    optional = {name: values for name, values in EXEC_ENGINE.items() if name != left_out}
    return st.fixed_dictionaries({}, optional=optional)


def intervals() -> st.SearchStrategy[float]:
    return st.integers(1, 10**6).map(lambda thousandths: thousandths / 1000)


@st.composite
def expectations(draw: st.DrawFn, venue: m.Venue) -> m.Expect:
    default = venue.default_account
    others = [name for name in venue.each_account if name != default]
    return m.Expect(
        venue_position=draw(positions(venue, default)),
        venue_positions={
            name: draw(positions(venue, name)) for name in others if draw(st.booleans())
        },
        adjustments=tuple(draw(st.lists(adjustments(venue), max_size=2))),
    )


NOT_ZERO = st.one_of(decimals(), decimals().map(Decimal.copy_negate))


def positions(venue: m.Venue, account: str) -> st.SearchStrategy[dict[str, dict[Any, Decimal]]]:
    """The positions that an account may be expected to have."""
    sizes = st.one_of(st.just(Decimal(0)), decimals())
    legs = (
        st.fixed_dictionaries({"BOTH": st.one_of(st.just(Decimal(0)), NOT_ZERO)})
        if venue.each_account[account].position_mode == "one-way"
        else st.fixed_dictionaries(
            {}, optional={"LONG": sizes, "SHORT": sizes.map(Decimal.copy_negate)}
        )
    )
    return st.dictionaries(st.sampled_from(venue.symbols), legs)


def adjustments(venue: m.Venue) -> st.SearchStrategy[m.Adjustment]:
    return st.sampled_from(tuple(venue.each_account)).flatmap(
        lambda account: st.builds(
            m.Adjustment,
            symbol=st.sampled_from(venue.symbols),
            quantity=NOT_ZERO,
            position_side=sides(venue, account),
            account=st.just(account),
        )
    )


def sides(venue: m.Venue, account: str) -> st.SearchStrategy[Any]:
    mode = venue.each_account[account].position_mode
    return st.sampled_from(("BOTH",) if mode == "one-way" else ("LONG", "SHORT"))


def knowledge(shows: str) -> st.SearchStrategy[dict[str, tuple[m.Known, ...]]]:
    fails = st.lists(st.sampled_from(m.PROPERTIES), max_size=3, unique=True).map(
        lambda others: tuple(dict.fromkeys((shows, *others)))
    )
    versions = st.sampled_from(("", ">=1.222,<=1.231", "==1.231.*", "!=1.2"))
    entries = st.lists(st.builds(m.Known, fails=fails, versions=versions), min_size=1, max_size=2)
    engines = st.sampled_from(("stock", "stock-defaults", "package.module:engine", "on", "1"))
    return st.dictionaries(engines, entries.map(tuple), max_size=2)


def points() -> st.SearchStrategy[str]:
    """Named points of every kind."""
    number = st.integers(1, 999).map(str)
    requests = st.sampled_from(
        ("POST /fapi/v1/order", "recon GET /fapi/v1/userTrades", "nt PUT /fapi/v1/order")
    )
    events = st.sampled_from(("ORDER_TRADE_UPDATE TRADE", "ACCOUNT_UPDATE", "listenKeyExpired"))
    keys = st.sampled_from(("", " of positions", " of orders:O-1"))
    return st.one_of(
        st.tuples(st.sampled_from(("before", "after")), number, requests).map(
            lambda drawn: "{} request {} of {}".format(*drawn)
        ),
        st.tuples(st.sampled_from(("before", "after")), number, requests).map(
            lambda drawn: "{} reply {} of {}".format(*drawn)
        ),
        st.tuples(st.sampled_from(("before", "after")), number, events).map(
            lambda drawn: "{} event {} of {}".format(*drawn)
        ),
        st.tuples(number, keys).map(lambda drawn: "after write {}{}".format(*drawn)),
    )


def scenario_of(venue: m.Venue, who: dict[str, Any], records: list[m.Record]) -> m.Scenario:
    return m.Scenario(title="-", shows="crash", venue=venue, **who, timeline=tuple(records))


class Refused(Exception):
    """The format has no such record at that place."""


def refuse(path: Any, message: str, hint: str = "") -> NoReturn:
    raise Refused(message)


MATCHES = st.sampled_from(get_args(v.PriceMatch))
NOT_RESTING = st.one_of(
    st.sampled_from(({"time_in_force": "IOC"}, {"time_in_force": "FOK"})),
    spans(1).map(lambda span: {"time_in_force": "GTD", "good_till_ns": span}),
)


class _Story:
    """Draws records one after the other, each possible after those before it."""

    def __init__(self, draw: st.DrawFn, bare: m.Scenario) -> None:
        self._draw = draw
        self._bare = bare
        self._venue = bare.venue
        self._nodes = bare.each_node
        # Whose turn it is: the node and the account of the record at hand.
        self._name = min(self._nodes)
        self._account = self._venue.default_account
        self._now_ns: int = draw(st.just(0) | spans().map(int.__neg__))
        self._open: dict[str, Decimal] = {}
        self._sent: list[str] = []
        self._limits: set[str] = set()
        # Up from here on; None while only a start brings the node back.
        self._up_at_ns: dict[str, int | None] = {
            name: node.starts_ns for name, node in self._nodes.items()
        }
        self._senders: dict[str, str] = {}
        self._lies_in_wait = False
        self.records: list[m.Record] = []
        self._at_ns = 0

    def tell(self, word: str) -> None:
        """Add a record of that word, unless it cannot happen now."""
        at_ns = self._now_ns + self._draw(spans())
        kind = a.ACTIONS[word]
        if issubclass(kind, a.CallFault | a.CloseWsApi) and any(
            node.key_type == "hmac" for node in self._nodes.values()
        ):
            return  # nobody would notice
        name = self._name = self._draw(st.sampled_from(tuple(self._nodes)))
        self._account = self._draw(st.sampled_from(tuple(self._venue.each_account)))
        up_at_ns, starts_ns = self._up_at_ns[name], self._nodes[name].starts_ns
        is_down = up_at_ns is None or at_ns < up_at_ns
        needs_node = issubclass(kind, a.StrategyAction | a.NodeAction)
        if needs_node and (at_ns < starts_ns or is_down != (kind is a.Start)):
            # Nobody is there to act; only what lies in wait may be told.
            if at_ns < starts_ns or kind not in (a.Kill, a.Restart, a.Submit):
                return
            self._lies_in_wait = True
        if kind is a.Start and up_at_ns is not None:
            return
        self._at_ns = at_ns
        known = getattr(self, f"_{word}", None)
        action = self._any(kind) if known is None else known()
        if action is None:
            return
        self._lies_in_wait = False
        match action:
            case a.Kill() | a.Restart() if action.point is not None:
                pass  # when it comes, or whether, nobody knows
            case a.Stop() | a.Kill():
                self._up_at_ns[name] = None
            case a.Start():
                self._up_at_ns[name] = at_ns
            case a.Restart():
                self._up_at_ns[name] = at_ns + action.down_ns
        self._now_ns = at_ns
        self.records.append(self._record(action))

    def _record(self, action: a.Action) -> m.Record:
        note = self._draw(st.none() | texts())
        return m.Record(at_ns=self._at_ns, action=action, note=note)

    @property
    def _node(self) -> m.Node:
        return self._nodes[self._name]

    def _order(self, account: str) -> dict[str, Any]:
        draw = self._draw
        mode = self._venue.each_account[account].position_mode
        id_ = f"O-{len(self._open) + 1}"
        quantity = draw(decimals())
        kind = draw(st.sampled_from(get_args(v.OrderType)))
        is_limited = kind in ("LIMIT", "STOP", "TAKE_PROFIT")
        rests = kind == "LIMIT" and draw(st.booleans())
        if is_limited:
            self._limits.add(id_)
        self._open[id_] = quantity
        terms: dict[str, Any] = {}
        if is_limited:
            by_price = draw(st.booleans())
            word, values = ("price", decimals()) if by_price else ("price_match", MATCHES)
            terms[word] = draw(values)
        if kind == "TRAILING_STOP_MARKET":
            terms |= {"callback_rate": draw(decimals(9)), "activate": draw(st.none() | decimals())}
        elif kind not in ("LIMIT", "MARKET"):
            terms["trigger"] = draw(decimals())
            terms["close_position"] = not is_limited and draw(st.booleans())
        closes = terms.get("close_position", False)
        return {
            "id": id_,
            "side": draw(st.sampled_from(("BUY", "SELL"))),
            "quantity": quantity,
            "type": kind,
            **terms,
            "symbol": draw(self._symbols()),
            "position_side": draw(sides(self._venue, account)),
            "reduce_only": not closes and mode == "one-way" and draw(st.booleans()),
            **({"time_in_force": "GTC"} if rests or kind != "LIMIT" else draw(NOT_RESTING)),
            "post_only": rests and draw(st.booleans()),
        }

    def _symbols(self) -> st.SearchStrategy[str]:
        return st.sampled_from(self._venue.symbols)

    def _submit(self) -> a.Action:
        account = self._draw(st.sampled_from(self._bare.accounts_of(self._name)))
        order = self._order(account)
        self._sent.append(order["id"])
        self._senders[order["id"]] = self._name
        return a.Submit(
            **order,
            node=self._name,
            account=self._account_word(account),
            strategy=self._draw(st.sampled_from(self._node.strategies)),
            on_start=self._lies_in_wait or self._draw(st.booleans()),
        )

    def _cancel(self) -> a.Action | None:
        sent = self._own()
        return a.Cancel(order=self._draw(st.sampled_from(sent))) if sent else None

    def _query(self) -> a.Action | None:
        sent = self._own()
        return a.Query(order=self._draw(st.sampled_from(sent))) if sent else None

    def _account_word(self, account: str) -> str | None:
        """Name an account of the node; the first need not be named."""
        first = account == self._bare.accounts_of(self._name)[0]
        return self._draw(st.none() | st.just(account)) if first else account

    def _own(self) -> list[str]:
        """The orders that a strategy of the node has sent."""
        return [id_ for id_ in self._sent if self._senders[id_] == self._name]

    def _cancel_all(self) -> a.Action:
        account = self._draw(st.sampled_from(self._bare.accounts_of(self._name)))
        return a.CancelAll(
            node=self._name,
            account=self._account_word(account),
            symbol=self._draw(self._symbols()),
            strategy=self._draw(st.sampled_from(self._node.strategies)),
        )

    def _modify(self) -> a.Action | None:
        limits = [id_ for id_ in self._own() if id_ in self._limits]
        if not limits:
            return None
        quantity = self._draw(st.none() | decimals())
        price = self._draw(st.none() | decimals()) if quantity is not None else Decimal(1)
        return a.Modify(order=self._draw(st.sampled_from(limits)), quantity=quantity, price=price)

    def _fill(self) -> a.Action | None:
        fillable = [id_ for id_, rest in self._open.items() if rest]
        if not fillable:
            return None
        id_ = self._draw(st.sampled_from(fillable))
        # Eight places hold every quantity drawn here.
        units = int(self._open[id_].scaleb(8))
        times = self._draw(st.integers(1, min(3, units)))
        quantity = Decimal(self._draw(st.integers(1, units // times))).scaleb(-8)
        self._open[id_] -= quantity * times
        return a.Fill(
            order=id_,
            quantity=quantity,
            price=self._draw(st.none() | traded_prices()),
            maker=self._draw(st.booleans()),
            times=times,
        )

    def _web_submit(self) -> a.Action:
        return a.WebSubmit(**self._order(self._account), account=self._account)

    def _web_cancel(self) -> a.Action | None:
        if not self._open:
            return None
        return a.WebCancel(order=self._draw(st.sampled_from(tuple(self._open))))

    def _stop(self) -> a.Action:
        return a.Stop(node=self._name)

    def _kill(self) -> a.Action:
        return a.Kill(node=self._name, **self._point())

    def _point(self) -> dict[str, Any]:
        """A named point, or none."""
        return {"point": self._draw(points() if self._lies_in_wait else st.none() | points())}

    def _comeback(self) -> dict[str, Any]:
        draw = self._draw
        torn = ("torn",) if self._open else ()
        cache = draw(st.sampled_from(("kept", "lost", "stale", *torn)))
        return {
            "node": self._name,
            "cache": cache,
            "lose_ns": draw(spans(1)) if cache == "stale" else None,
            "order": draw(st.sampled_from(tuple(self._open))) if cache == "torn" else None,
            "keep": draw(st.integers(1, 9)) if cache == "torn" else None,
            "claims": draw(st.none() | claimed(self._venue, self._node.strategies)),
        }

    def _start(self) -> a.Action:
        return a.Start(**self._comeback())

    def _restart(self) -> a.Action:
        by = self._draw(
            st.just("kill") if self._lies_in_wait else st.sampled_from(("stop", "kill"))
        )
        return a.Restart(
            **self._comeback(),
            by=by,
            **(self._point() if by == "kill" else {}),
            down_ns=self._draw(spans()),
        )

    def _any(self, kind: type[a.Action]) -> a.Action | None:
        """An action with whatever its fields may hold, unless the format refuses the whole."""
        drawn = {word.field: self._value(word) for word in words(kind) if self._is_given(word)}
        action = kind(**drawn)
        records = (*self.records, self._record(action))
        story = msgspec.structs.replace(self._bare, timeline=records)
        try:
            TimelineCheck(story, refuse).check()
        except Refused:
            return None
        return action

    def _is_given(self, word: Word) -> bool:
        return word.default is NODEFAULT or self._draw(st.booleans())

    def _value(self, word: Word) -> Any:
        """A value of a field: of one of the kinds that its type names, but not None."""
        return self._draw(st.sampled_from(alternatives(word.type)).flatmap(self._of))

    def _of(self, kind: Any) -> st.SearchStrategy[Any]:
        if kind == v.OrderId:
            return st.sampled_from(tuple(self._open)) if self._open else st.just("nobody-s")
        if kind == v.Symbol:
            return self._symbols()
        if kind == v.PositionSide:
            return sides(self._venue, self._account)
        if get_origin(kind) is Literal:
            return st.sampled_from(get_args(kind))
        if get_origin(kind) is tuple:
            [item, _] = get_args(kind)
            return st.lists(self._of(item), min_size=1, max_size=3, unique=True).map(tuple)
        if kind == v.NodeName:
            return st.just(self._name)
        if kind == v.AccountName:
            return st.just(self._account)
        if kind == v.StrategyId:
            return st.sampled_from(self._node.strategies)
        return next(strategy for type_, strategy in VALUES if type_ == kind)


# Not a dictionary: `Annotated` types may hold what cannot be hashed.
VALUES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (bool, st.booleans()),
    (int, st.integers(-5000, 5000)),
    (v.Quantity, decimals()),
    (v.NotNegative, st.just(Decimal(0)) | decimals()),
    (v.NotZero, decimals() | decimals().map(Decimal.copy_negate)),
    (v.SignedQuantity, st.just(Decimal(0)) | decimals()),
    (v.Price, traded_prices()),
    (v.Duration, spans()),
    (v.Period, spans(1)),
    (v.Seed, st.integers(0, 3) | st.integers(0, 2**53)),
    (v.Count, st.integers(1, 3)),
    (v.PageRows, st.integers(2, 1000)),
    (v.Probability, st.sampled_from((0.25, 1.0, 1e-6))),
    (v.Line, texts()),
    (v.ExpiryReason, st.integers(0, 11)),
    (v.Leverage, st.integers(1, 125)),
    (v.HttpError, st.integers(400, 599)),
    (v.Json, st.sampled_from((None, "RPI", 3, True, [1, "a"], {"filterType": "NEW", "n": [0]}))),
    (v.FieldPath, st.sampled_from(("symbols.0.timeInForce", "*.avgPrice", "status"))),
    (v.HeaderName, st.just("X-MBX-USED-WEIGHT-1M")),
    (v.Instant, spans() | spans().map(int.__neg__)),
    (v.Offset, spans(1) | spans(1).map(int.__neg__)),
    (v.CloseCode, st.sampled_from((1000, 1006, 4999))),
    (v.Asset, st.sampled_from(("USDT", "BNB"))),
    (v.ClientName, st.sampled_from(("nt", "recon"))),
    (v.Path, st.sampled_from(("/fapi/v1/order", "/fapi/v1/listenKey"))),
    (v.PointName, points()),
]
