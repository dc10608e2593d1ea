"""Campaigns: rounds of hunts, stories run twice, the database, coverage, and what is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from sim.cli import main
from sim.fuzz.campaign import EXAMPLES_A_HUNT, SEEDS_A_HUNT, Campaign, Here, Tally
from sim.fuzz.found import keep, move_into
from sim.fuzz.hunt import Bag, Found, Hunt, open_database, tried
from sim.fuzz.states import STATES
from sim.fuzz.twice import Again, Sample, difference
from sim.scenario import dump, load, loads
from sim.trace import Row
from sim.workers import Task

STORY = """
format: 1
title: A story
shows: fill-lost
venue: {symbols: [SOLUSDT]}
node: {reconciliation_interval_secs: 60}
timeline:
  - {at: 2s, submit: {id: O-1, side: BUY, quantity: "1", price: "150"}}
  - {at: 4s, fill: {order: O-1, quantity: "1"}}
"""
UNHEARD = STORY.replace(
    "timeline:\n", "timeline:\n  - {at: 1s, drop_event: {event: ORDER_TRADE_UPDATE, for: 1h}}\n"
)


def recon(*args: str) -> Result:
    return CliRunner().invoke(main, list(args))


def campaign(**changes: object) -> Campaign:
    return replace(
        Campaign(
            engine="recon",
            seed=7,
            examples=2 * EXAMPLES_A_HUNT + 1,
            secs=None,
            shrinks=5,
            database=None,
            given=(),
            jobs=1,
        ),
        **changes,
    )


# -- how it is divided --------------------------------------------------------------------


def test_each_hunt_has_seeds_of_its_own():
    hunts = campaign().hunts()

    assert [h.examples for h in hunts] == [EXAMPLES_A_HUNT, EXAMPLES_A_HUNT, 1]
    assert [h.seed for h in hunts] == [7, 7 + SEEDS_A_HUNT, 7 + 2 * SEEDS_A_HUNT]


@pytest.mark.parametrize(("secs", "jobs", "count"), [(1.0, 1, 1), (60.0, 1, 12), (60.0, 2, 24)])
def test_a_time_is_divided_too(secs: float, jobs: int, count: int):
    hunts = campaign(secs=secs, jobs=jobs).hunts()

    assert len(hunts) == count
    assert sum(h.secs or 0 for h in hunts) == pytest.approx(secs * jobs)


class Told:
    """Spreads nothing: hunts have come to what is given."""

    def __init__(self, *bags: Bag) -> None:
        self.bags = [*bags]
        self.jobs: list[Hunt] = []

    def __call__(self, jobs: Sequence[Task[Bag]], /) -> Iterator[Bag]:
        for job in jobs:
            assert isinstance(job, Hunt)
            self.jobs.append(job)
            yield self.bags.pop(0) if self.bags else Bag()


def sample(text: str = STORY) -> Sample:
    trial = tried(loads(text, "story.yaml"), "recon")
    return Sample.of(dump(loads(text, "story.yaml")), trial.result, trial.rows)


def test_what_hunts_come_to_is_added_up():
    spread = Told(
        Bag(examples=2, secs=1.0, samples=[sample()]), Bag(examples=3, secs=2.0, error="it died")
    )
    heard: list[int] = []
    tally = campaign().run(spread, lambda t, bag: heard.append(bag.examples))

    assert (tally.examples, tally.secs, tally.errors) == (5, 3.0, ["it died"])
    assert heard == [2, 3, 0]
    assert (tally.twice, tally.differences) == (1, [])


def test_a_difference_ends_a_campaign():
    honest = sample()
    rows = honest.rows
    rows[3] = replace(rows[3], details="something else")
    forged = Sample(honest.text, "another", Sample.of("", tried_result(), rows).packed)
    spread = Told(*(Bag(samples=[forged] if n == 0 else []) for n in range(41)))
    tally = campaign(examples=41 * EXAMPLES_A_HUNT).run(spread, lambda t, bag: None)

    [told] = tally.differences
    assert "row 4 of the trace differs" in told
    assert "something else" in told
    assert "submit: {id: O-1" in told
    assert len(spread.jobs) == 40, "the round is ended, and there is no other"


def tried_result():
    return tried(loads(STORY, "story.yaml"), "recon").result


# -- what is run twice --------------------------------------------------------------------


def test_the_same_story_is_the_same_again():
    assert Again("recon", (sample(), sample(UNHEARD))).perform() == []


def test_what_could_not_be_run_is_not_run_again():
    assert Again("recon", (Sample("", "", b""),)).perform() == []


def test_a_process_that_died_is_a_difference():
    assert Again("recon", ()).failed("it died") == ["it died"]


A, B = Row(1, "request", "nt", "x"), Row(2, "request", "nt", "y")


@pytest.mark.parametrize(
    ("first", "second", "number", "words"),
    [
        ([A, B], [A, A], 2, "1 request nt x"),
        ([A], [A, B], 2, "(the run has ended)"),
        ([B, A], [A, B], 1, "2 request nt y"),
    ],
)
def test_the_first_row_that_differs_is_told(
    first: list[Row], second: list[Row], number: int, words: str
):
    told = difference(first, second)

    assert told.startswith(f"row {number} of the trace differs")
    assert words in told


# -- the database -------------------------------------------------------------------------


def test_what_was_found_is_tried_first_the_next_time(tmp_path: Path):
    hunt = Hunt(engine="stock", seed=6, examples=15, shrinks=5, database=str(tmp_path / "examples"))
    found = hunt.perform().found
    again = replace(hunt, again=True, seed=99, examples=10**9).perform()

    assert found
    assert again.found
    assert again.examples < 20, "nothing new is drawn"


def test_a_campaign_with_a_database_begins_with_it(tmp_path: Path):
    spread = Told()
    campaign(database=str(tmp_path)).run(spread, lambda t, bag: None)

    assert [job.again for job in spread.jobs] == [True, False, False, False]


@pytest.mark.parametrize("name", ["http://somewhere", "mysql://x"])
def test_another_server_is_refused(name: str):
    with pytest.raises(ValueError, match="a folder or the URL of a Redis server"):
        open_database(name, "recon")
    done = recon("fuzz", "--database", name)
    assert done.exit_code == 2
    assert "Redis" in done.output


def test_engines_have_databases_of_their_own(tmp_path: Path):
    one, other = (open_database(str(tmp_path), name) for name in ("recon", "my.pkg:engine"))
    assert one is not None
    assert other is not None
    one.save(b"key", b"value")

    assert [*one.fetch(b"key")] == [b"value"]
    assert [*other.fetch(b"key")] == []
    assert open_database(None, "recon") is None


# -- the command --------------------------------------------------------------------------


def test_given_scenarios_are_changed(tmp_path: Path):
    given = tmp_path / "given.yaml"
    given.write_text(STORY)
    done = recon(
        "fuzz", "--from", str(given), "--engine", "stock", "--examples", "25", "--seed", "3",
        "--shrinks", "5", "--database", "none", "--out", str(tmp_path / "found"),
    )  # fmt: skip

    files = [*(tmp_path / "found").glob("*.yaml")]
    assert done.exit_code == 1, done.output
    assert files
    assert all(load(path).title == f"Found by fuzzing {given}"[:150] for path in files)


def test_a_given_file_that_is_no_scenario_is_refused(tmp_path: Path):
    given = tmp_path / "given.yaml"
    given.write_text(STORY.replace("submit", "sumbit"))
    done = recon("fuzz", "--from", str(given))

    assert done.exit_code == 2
    assert "did you mean 'submit'" in done.output


def test_coverage_is_required_if_asked_for(tmp_path: Path):
    call = ("--seed", "5", "--examples", "3", "--database", "none", "--out", str(tmp_path))
    done = recon("fuzz", *call, "--require-coverage")

    assert done.exit_code == 3
    never = [line for line in done.stderr.splitlines() if line.startswith("never reached: ")]
    assert 0 < len(never) <= len(STATES)
    assert recon("fuzz", *call).exit_code == 0


# -- what is kept -------------------------------------------------------------------------


def kept(folder: Path, text: str = UNHEARD, property_: str = "fill-lost") -> Path:
    plain = dump(loads(text, "story.yaml"))
    found = Found(property=property_, text=plain, message="It\nis so.", seed=4, examples=1, runs=0)
    return keep(found, "stock-defaults", folder)


def test_a_kept_file_says_where_it_comes_from(tmp_path: Path):
    path = kept(tmp_path)
    first, second, third, *_ = path.read_text().splitlines()

    assert first == "# fill-lost with the engine stock-defaults, from the seed 4:"
    assert second == "# It is so."
    assert third == f"# recon run {path} --engine stock-defaults"


def test_what_is_fixed_moves_into_the_suite(tmp_path: Path):
    found, suite = tmp_path / "found", tmp_path / "suite"
    path = kept(found)
    done = recon("replay", str(found), "--move", str(suite))

    assert done.exit_code == 0, done.output
    assert not path.exists()
    moved = suite / path.name
    assert f"moved to {moved}" in done.output
    assert set(load(moved).known) <= {"stock", "stock-defaults"}
    for engine in ("recon", "stock", "stock-defaults"):
        assert recon("run", str(moved), "--engine", engine).exit_code == 0


def test_what_still_fails_stays(tmp_path: Path):
    path = kept(tmp_path / "found")
    done = recon(
        "replay", str(tmp_path / "found"), "--engine", "stock-defaults", "--move", str(tmp_path)
    )

    assert done.exit_code == 1
    assert "STILL FAILING" in done.output
    assert path.exists()


def test_without_a_folder_the_move_is_offered(tmp_path: Path):
    path = kept(tmp_path)
    done = recon("replay", str(tmp_path))

    assert done.exit_code == 0
    assert "1 fixed; --move" in done.output
    assert path.exists()


def test_a_file_shows_what_the_released_engine_gets_wrong(tmp_path: Path):
    path = kept(tmp_path / "found", property_="too-slow")
    path.write_text(path.read_text().replace("shows: fill-lost", "shows: too-slow"))
    to = move_into(path, tmp_path / "suite")
    scenario = load(to)

    assert all(
        scenario.shows in known.fails for every in scenario.known.values() for known in every
    )


def test_hunts_are_done_here_or_in_processes():
    jobs = [Hunt(engine="recon", seed=seed, examples=1) for seed in (1, 2, 3)]
    alone, together = ([bag.seeds for bag in Here(n)(jobs)] for n in (1, 2))

    assert alone == together == [[1], [2], [3]]


def test_a_tally_begins_with_nothing():
    assert Tally() == Tally()
    assert Tally().found is not Tally().found
