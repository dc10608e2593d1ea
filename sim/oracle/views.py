"""A run as it concerns each of its nodes.

* A node sees the accounts that it trades on, and of them everything: the orders of another node
  on the same account are external to it.
* A node that trades on several accounts is judged for each by itself; how it behaves, and how it
  ends, is told once.
* A fault that hits another node, or another account, excuses nothing.
* What is nobody's in particular, such as what was still pending at the end, is told once.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import asdict, replace

from sim.observation import Incarnation, Observation, State


def views(observation: Observation) -> Iterator[Observation]:
    """One observation for each node; that of the only node is the whole.

    Raises `ValueError` when there is a process of a node of which nothing else is known.
    """
    if not observation.sights:
        yield observation
        return
    if strange := {i.node for i in observation.incarnations} - set(observation.sights):
        raise ValueError(f"nobody knows what node {min(strange)} may see")
    names = list(observation.sights)
    for name, sight in observation.sights.items():
        is_first = name == names[0]
        yield replace(
            _limited(observation, sight.accounts),
            **{word: value for word, value in asdict(sight).items() if word != "accounts"},
            sights={name: sight},
            incarnations=tuple(i for i in observation.incarnations if i.node == name),
            impairments=tuple(
                i
                for i in observation.impairments
                if i.node in ("", name) and i.account in ("", *sight.accounts)
            ),
            crashes=tuple(
                c
                for c in observation.crashes
                if c.node == name or (is_first and c.node not in names)
            ),
            pending=observation.pending if is_first else None,
        )


def by_account(view: Observation) -> Iterator[Observation]:
    """One observation for each account of the node that a view is of."""
    accounts = {account for sight in view.sights.values() for account in sight.accounts}
    if len(accounts) < 2:
        yield view
        return
    for account in sorted(accounts):
        yield replace(
            _limited(view, (account,)),
            incarnations=tuple(_of_account(i, account) for i in view.incarnations),
        )


def _limited(observation: Observation, accounts: tuple[str, ...]) -> Observation:
    """What happened on some accounts at the venue."""
    return replace(
        observation,
        trades=tuple(t for t in observation.trades if t.account in accounts),
        orders=tuple(o for o in observation.orders if o.account in accounts),
        positions=tuple(p for p in observation.positions if p.account in accounts),
        adjustments=tuple(a for a in observation.adjustments if a.account in accounts),
    )


def _of_account(incarnation: Incarnation, account: str) -> Incarnation:
    """What a process loaded, published and held of one account."""
    return replace(
        incarnation,
        claims=incarnation.claims_of.get(account, {}),
        loaded=_state_of(incarnation.loaded, account),
        final=_state_of(incarnation.final, account),
        events=tuple(e for e in incarnation.events if e.account == account),
        position_changes=tuple(c for c in incarnation.position_changes if c.account == account),
        alerts=tuple(a for a in incarnation.alerts if a.account == account),
    )


def _state_of(state: State, account: str) -> State:
    return State(
        orders=tuple(o for o in state.orders if o.account == account),
        positions=tuple(p for p in state.positions if p.account == account),
    )
