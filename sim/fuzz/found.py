"""Failures that are kept: scenario files that a person can read and that can be replayed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec import convert
from msgspec.structs import replace

from sim import engines
from sim.fuzz.hunt import Found
from sim.report.result import REFERENCE_VERSION, result_of
from sim.scenario import dump, load
from sim.scenario.model import Known, Property
from sim.world import run


def keep(found: Found, engine: str, folder: Path) -> Path:
    """Write the file of a failure, named by its property and content; return its path."""
    path = folder / f"{found.property}-{_digest(found.text)}.yaml"
    head = (
        f"# {found.property} with the engine {engine}, from the seed {found.seed}:\n"
        f"# {' '.join(found.message.split())}\n"
        f"# recon run {path} --engine {engine}\n"
    )
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(head + found.text)
    return path


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


def move_into(path: Path, folder: Path) -> Path:
    """Make a kept file one of the suite, with what the released engine gets wrong in it.

    A file shows what it was found for, unless the released engine gets only something else
    wrong: what is known of an engine has to hold what the file shows.  Returns its new path;
    what the loader refuses raises `ScenarioError`.
    """
    scenario = load(path)
    fails = {
        name: convert(result_of(run(scenario, engines.load(name))).violated, tuple[Property, ...])
        for name in ("stock", "stock-defaults")
    }
    wrong = [violated for violated in fails.values() if violated]
    common = [name for name in (wrong or [()])[0] if all(name in each for each in wrong)]
    shows = scenario.shows
    if wrong and shows not in common:
        if not common:
            raise ValueError(f"{path}: what the released engines get wrong has nothing in common")
        shows = common[0]
    known = {
        name: (Known(fails=violated, versions=f"=={REFERENCE_VERSION}"),)
        for name, violated in fails.items()
        if violated
    }
    folder.mkdir(parents=True, exist_ok=True)
    to = folder / path.name
    # The comments at the head say where it comes from, and are about no engine of the suite.
    to.write_text(dump(replace(scenario, shows=shows, known=known)))
    path.unlink()
    return to
