"""A hunt finds what is wrong, and makes it small; it finds nothing where nothing is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sim import engines
from sim.cli import main
from sim.fuzz.found import keep
from sim.fuzz.hunt import Hunt
from sim.report.result import result_of
from sim.scenario import load
from sim.world import run

ALONE = ("--database", "none")
"""What earlier campaigns have found is nothing to these."""

RECORDS_AT_MOST = 6
"""How long a story of a bug of the released engine may be that is shrunk."""


def recon(*args: str) -> Result:
    return CliRunner().invoke(main, list(args))


@pytest.fixture(scope="module")
def bag() -> Any:
    return Hunt(engine="stock", seed=6, examples=15, shrinks=10).perform()


def test_a_hunt_finds_failures_of_the_released_engine(bag: Any):
    assert bag.error is None
    assert bag.examples == 15
    assert bag.found
    assert bag.seeds == [*range(6, 6 + len(bag.seeds))]
    assert len(bag.seeds) >= len(bag.found), "after each failure another seed"


def test_what_is_found_is_small_and_fails_as_it_says(bag: Any, tmp_path: Path):
    for found in bag.found:
        path = keep(found, "stock", tmp_path)
        scenario = load(path)
        result = result_of(run(scenario, engines.load("stock")))

        assert path.name.startswith(f"{found.property}-")
        assert scenario.shows == found.property
        assert found.property in result.violated
        assert len(scenario.timeline) <= RECORDS_AT_MOST


def test_a_hunt_is_the_same_again(bag: Any):
    again = Hunt(engine="stock", seed=6, examples=15, shrinks=10).perform()
    assert [found.text for found in again.found] == [found.text for found in bag.found]
    assert again.judged == bag.judged


def test_a_hunt_counts_what_happened(bag: Any):
    assert sum(bag.verdicts.values()) == bag.examples
    assert bag.judged["crash"] == bag.examples
    assert bag.acted["submit"] > 0


def test_nothing_is_found_of_recon():
    bag = Hunt(engine="recon", seed=5, examples=30).perform()
    assert bag.found == []


def fails_at_fills(node: Any) -> None:
    def on_event(event: Any) -> None:
        if type(event).__name__ == "OrderFilled":
            raise KeyError("planted")

    node.kernel.msgbus.subscribe("events.order.*", on_event)


def test_an_engine_that_crashes_is_found_with_nothing_but_its_cause():
    bag = Hunt(engine=f"{__name__}:fails_at_fills", seed=1, examples=6, shrinks=10).perform()
    crashes = [found for found in bag.found if found.property == "crash"]

    assert crashes
    # An order that is filled at once, or one that is and its fill; and at times a restart.
    assert all(found.text.partition("timeline:")[2].count("at:") <= 3 for found in crashes)


def fails_to_start(node: Any) -> None:
    raise KeyError("planted")


def test_an_engine_that_cannot_be_attached_is_no_violation():
    bag = Hunt(engine=f"{__name__}:fails_to_start", seed=1, examples=1).perform()
    assert [found.property for found in bag.found] == ["harness"]


# -- the commands ----------------------------------------------------------------------


def test_fuzz_keeps_what_it_finds_and_replay_knows_it(tmp_path: Path):
    out = tmp_path / "found"
    call = ("--engine", "stock", "--seed", "6", "--examples", "15", "--shrinks", "5", *ALONE)
    done = recon("fuzz", *call, "--out", str(out))

    assert done.exit_code == 1, done.output
    assert "recon fuzz --engine stock --seed 6\n" in done.output
    files = sorted(out.glob("*.yaml"))
    assert files
    assert all(f"recon run {path} --engine stock" in done.output for path in files)
    assert "run twice: 1, 0 differed" in done.output

    again = recon("replay", str(out), "--engine", "stock")
    assert again.exit_code == 1
    assert again.output.count("STILL FAILING") == len(files)
    fixed = recon("replay", str(out))
    assert fixed.exit_code == 0, fixed.output
    assert fixed.output.count("FIXED") == len(files)


def test_fuzz_that_finds_nothing_ends_with_zero(tmp_path: Path):
    done = recon("fuzz", "--seed", "5", "--examples", "5", *ALONE, "--out", str(tmp_path / "found"))

    assert done.exit_code == 0, done.output
    assert "found: nothing" in done.output
    assert not (tmp_path / "found").exists()


def test_fuzz_prints_a_seed_of_its_own(tmp_path: Path):
    done = recon("fuzz", "--for", "100ms", *ALONE, "--out", str(tmp_path / "found"))
    first, *_ = done.output.splitlines()

    assert first.startswith("recon fuzz --engine recon --seed ")
    assert int(first.rpartition(" ")[2]) >= 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--examples", "1", "--for", "1s"), "--examples and --for exclude each other"),
        (("--for", "soon"), "soon"),
        (("--engine", "rocen"), "unknown engine 'rocen'"),
    ],
)
def test_a_wrong_call_says_so(args: tuple[str, ...], message: str):
    done = recon("fuzz", *args)

    assert done.exit_code == 2
    assert message in done.output


def test_replay_refuses_a_folder_without_scenarios(tmp_path: Path):
    done = recon("replay", str(tmp_path))

    assert done.exit_code == 2
    assert "no scenario file" in done.output
