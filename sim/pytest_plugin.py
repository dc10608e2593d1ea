"""Scenario files as tests of pytest: one for each file and engine.

    pytest scenarios/ --recon-engine my_package.my_module:my_engine

Files are collected that are given by name, and those below the folders of the ini
option `recon_scenarios` that have one of a scenario's words; no other YAML file is
looked at.

pytest imports this wherever the package is installed, also where nobody has
scenarios, and the simulation with NautilusTrader below it is slow to import: it is
imported when a file is collected or an option is used, not before.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sim.suite import PATTERN

if TYPE_CHECKING:
    from sim.fuzz.checking import Worlds
    from sim.report.outcome import Outcome
    from sim.runner import Job

_ENGINES = pytest.StashKey[dict[str, str]]()


class NotAsExpected(Exception):
    """A run whose verdict is not what its file says; ``str`` of it is the story."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what the command ``recon run`` has."""
    group = parser.getgroup("recon", "scenarios of nautilus-recon")
    group.addoption(
        "--recon-engine",
        action="append",
        metavar="NAME",
        help="run scenarios with this engine: stock (default), stock-defaults or "
        "package.module:name; may be repeated",
    )
    group.addoption(
        "--recon-seed",
        type=_seed,
        metavar="N",
        help="use this seed instead of the files' own",
    )
    group.addoption(
        "--recon-property",
        action="append",
        metavar="NAME",
        help="only scenarios that show this property; may be repeated",
    )
    parser.addini(
        "recon_scenarios",
        "folders of scenario files, relative to the root directory",
        type="linelist",
        default=["scenarios"],
    )


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


@pytest.fixture
def recon_world(request: pytest.FixtureRequest) -> Worlds:
    """Play stories, each in a world of its own, with the engine of ``--recon-engine``."""
    from sim.fuzz.checking import Worlds

    engines = request.config.option.recon_engine or ["recon"]
    return Worlds(engines[0])


def pytest_configure(config: pytest.Config) -> None:
    """Refuse engines and properties that do not exist before anything is collected."""
    if config.option.recon_engine:
        # As for the command: where a user's own engine lies.
        sys.path.insert(0, str(config.invocation_params.dir))
        _engines(config)
    if config.option.recon_property:
        from sim.scenario import PROPERTIES
        from sim.scenario.errors import nearest

        for name in config.option.recon_property:
            if name not in PROPERTIES:
                hint = nearest(name, PROPERTIES)
                raise pytest.UsageError(f"--recon-property: no property {name!r}; {hint}")


def _engines(config: pytest.Config) -> dict[str, str]:
    """Return what the engines call themselves; each is loaded once to see that it is one."""
    from sim import engines

    if _ENGINES not in config.stash:
        names = config.option.recon_engine or ["stock"]
        try:
            config.stash[_ENGINES] = {name: engines.load(name)().name for name in names}
        except engines.EngineError as e:
            raise pytest.UsageError(f"--recon-engine: {e}") from None
    return config.stash[_ENGINES]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
    """Collect a scenario file."""
    if not file_path.match(PATTERN):
        return None
    config = parent.config
    folders = [config.rootpath / folder for folder in config.getini("recon_scenarios")]
    if parent.session.isinitpath(file_path) or (
        any(map(file_path.is_relative_to, folders)) and _looks_like_one(file_path)
    ):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


def _looks_like_one(path: Path) -> bool:
    """Whether a file has a word of a scenario: other projects keep other YAML in such folders."""
    lines = path.read_text(errors="replace").splitlines()
    return any(line.startswith(("shows:", "timeline:")) for line in lines)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out scenarios that show other properties than those asked for."""
    wanted = config.option.recon_property
    if not wanted:
        return
    others = [
        item
        for item in items
        if isinstance(item, ScenarioItem) and item.job.scenario.shows not in wanted
    ]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


class ScenarioFile(pytest.File):
    """A scenario file."""

    def collect(self) -> Iterable[ScenarioItem]:
        """Yield a test for each engine."""
        from sim.runner import Job
        from sim.scenario import ScenarioError, load

        try:
            scenario = load(os.path.relpath(self.path))  # as it is written in a command
        except (ScenarioError, OSError) as e:
            raise self.CollectError(str(e)) from None
        seed = self.config.option.recon_seed
        for engine, label in _engines(self.config).items():
            job = Job(scenario=scenario, engine=engine, label=label, seed=seed)
            yield ScenarioItem.from_parent(self, name=engine, job=job)


class ScenarioItem(pytest.Item):
    """One scenario with one engine; it passes when the result is as the file says."""

    def __init__(self, *, job: Job, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = job

    def runtest(self) -> None:
        """Run the scenario."""
        with warnings.catch_warnings():
            # What a warning of the code under test does must not depend on who runs it.
            warnings.simplefilter("default")
            outcome = self.job.perform()
        if not outcome.result.expected:
            raise NotAsExpected(_told(outcome))

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: Any = None,
    ) -> Any:
        """Return the story; only what is no finding has a traceback."""
        if isinstance(excinfo.value, NotAsExpected):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return how a failure is headed."""
        return self.path, None, f"{self.job.scenario.name} [{self.name}]"


def _told(outcome: Outcome) -> str:
    from sim.report.terminal import story_text

    if outcome.is_setup:
        return f"error: {outcome.result.error}\nreplay: {outcome.replay}"
    return story_text(outcome.result, outcome.story, outcome.replay)
