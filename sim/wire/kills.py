"""SIGKILL between fills, with a real Redis: ``python -m sim.wire.kills``.

A node is started, killed at a random instant and started again on the same Redis, over and
over.  At each start its strategy sends an order that fills at once and one that rests; what
rests is filled in parts by the venue's hand, whether a node runs or not.  The oracle says what
is left of it: each trade has to be applied exactly once.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence

import msgspec

from sim.oracle import FillCounts, judge
from sim.scenario import Scenario, loads
from sim.wire.world import WireTimeline, run
from sim.workers import outcomes_of

EACH = 10
"""How many kills one run has: more starts in a minute would use up the venue's weight."""

SHORTEST_MS, LONGEST_MS = 150, 2_000
"""How long a process lives; its strategies run after some 400 ms."""

DOWN_MS = 60

UNIT = 3
"""The smallest part of a fill, in thousandths of a bitcoin."""

HEAD = """\
format: 1
title: A node that is killed over and over loses nothing
shows: fill-lost
seed: {seed}
venue: {{symbols: [BTCUSDT]}}
node: {{claims: {{S-001: [BTCUSDT-PERP.BINANCE]}}, reconciliation_interval_secs: 5}}
timeline:
"""


class KillTimeline(WireTimeline):
    """A timeline that waits for no start, so that a kill may come in it; but for the last one."""

    def _is_held(self) -> bool:
        return len(self._played) == len(self._scenario.timeline) and super()._is_held()


class Killed(msgspec.Struct, frozen=True):
    """What came of one run."""

    kills: int
    fills: FillCounts
    violations: tuple[str, ...]


def story(seed: int, kills: int) -> Scenario:
    """Return the scenario of so many kills."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    lines: list[str] = []
    resting: dict[str, int] = {}
    now_ms = 0
    for number in range(kills + 1):
        for kind, name, more in (
            ("MARKET", f"M-{number}", ""),
            ("LIMIT", f"L-{number}", ', price: "49000"'),
        ):
            side = rng.choice(("BUY", "SELL")) if kind == "MARKET" else "BUY"
            lines.append(
                f'{{at: {now_ms}ms, submit: {{id: {name}, side: {side}, quantity: "0.009", '
                f"type: {kind}{more}, on_start: true}}}}"
            )
        if number:
            lines.append(f"{{at: {now_ms}ms, start: {{}}}}")
        if number == kills:
            break
        lives_ms = rng.randint(SHORTEST_MS, LONGEST_MS)
        for _ in range(rng.randint(0, 3)):
            if not resting:
                break
            at_ms = now_ms + rng.randint(1, lives_ms + DOWN_MS - 1)
            filled = rng.choice(list(resting))
            lines.append(f'{{at: {at_ms}ms, fill: {{order: {filled}, quantity: "0.003"}}}}')
            resting[filled] -= UNIT
            if not resting[filled]:
                del resting[filled]
        lines.append(f"{{at: {now_ms + lives_ms}ms, kill: {{}}}}")
        # What lives long enough is at the venue by then, as a rule.
        if lives_ms > LONGEST_MS // 2:
            resting[f"L-{number}"] = 3 * UNIT
        now_ms += lives_ms + DOWN_MS
    lines.sort(key=_instant_ms)
    return loads(HEAD.format(seed=seed) + "".join(f"  - {line}\n" for line in lines), "kills.yaml")


def _instant_ms(line: str) -> int:
    return int(line.partition("ms")[0].rpartition(" ")[2])


class Kills(msgspec.Struct, frozen=True):
    """One run, as a job."""

    seed: int
    kills: int

    def perform(self) -> Killed:
        """Run it."""
        done = run(story(self.seed, self.kills), "recon", timeline=KillTimeline)
        judgement = judge(done.observation, "fill-lost")
        return Killed(
            sum(process.ended == "killed" for process in done.observation.incarnations),
            judgement.fills,
            tuple(f"{v.property}: {v.message}" for v in judgement.violations),
        )

    def failed(self, error: str) -> Killed:
        """Return what came of it when the process that did it has died."""
        nothing = FillCounts(venue=0, applied=0, lost=0, duplicated=0, phantom=0, opening=0)
        return Killed(0, nothing, (error,))


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill a node so often, or less where the machine is too slow for it; print what was lost."""
    parser = argparse.ArgumentParser(prog="python -m sim.wire.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how many")
    parser.add_argument("--seed", type=int, default=1, help="where runs begin")
    parser.add_argument("--jobs", type=int, default=3, help="how many runs at once")
    chosen = parser.parse_args(arguments)
    jobs = [
        Kills(chosen.seed + n, min(EACH, chosen.kills - n * EACH))
        for n in range(-(-chosen.kills // EACH))
    ]
    kills = fills = lost = duplicated = phantom = 0
    violations: list[str] = []
    for job, killed in zip(jobs, outcomes_of(jobs, chosen.jobs), strict=True):
        kills += killed.kills
        fills += killed.fills.venue
        lost += killed.fills.lost
        duplicated += killed.fills.duplicated
        phantom += killed.fills.phantom
        violations += [f"seed {job.seed}: {each}" for each in killed.violations]
    out = sys.stdout
    out.write(
        f"{kills} kills, {fills} fills: {lost} lost, {duplicated} duplicated, {phantom} phantom; "
        f"{len(violations)} violations\n"
    )
    out.writelines(f"  {each}\n" for each in violations)
    return 1 if violations or not kills else 0


if __name__ == "__main__":
    sys.exit(main())
