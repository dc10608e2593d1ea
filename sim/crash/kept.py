"""Violations that are kept: scenario files that say where the node was killed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from sim.crash.runs import Crash
from sim.report.result import Result
from sim.scenario import dump, loads


def keep(crash: Crash, result: Result, folder: Path) -> Path:
    """Write the file of a violation, named by its first property and content; return its path."""
    violation = next(v for v in result.violations if v.property == result.violated[0])
    scenario = msgspec.structs.replace(
        loads(crash.text, crash.scenario.name), shows=violation.property
    )
    text = dump(scenario)
    digest = hashlib.blake2b(text.encode(), digest_size=5).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{violation.property}-{digest}.yaml"
    path.write_text(
        f"# {crash.scenario.name}: {crash.passed.process} is killed {crash.passed.point}, "
        f"the cache is {crash.fate}\n"
        f"# {' '.join(violation.message.split())}\n"
        f"# replay: recon run {path} --engine {crash.engine}\n{text}"
    )
    return path
