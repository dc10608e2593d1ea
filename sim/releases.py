"""Other releases of NautilusTrader, each in an environment of its own that tox keeps.

An environment is made when it is first asked for, from `requirements/nautilus-<release>.txt`,
and takes some 700 MB.  The release that is installed here needs none.  What runs there is
this checkout.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import nautilus_trader

from sim.patches import VERSIONS

ROOT = Path(__file__).parents[1]


class ReleaseError(RuntimeError):
    """A release that nothing can be run on; the text says why."""


class Run(msgspec.Struct, frozen=True):
    """What one scenario came to on one release.

    ``holds`` says of the property that the scenario shows whether it does; it is None where
    the run says nothing of it, and ``reason`` why.
    """

    release: str
    holds: bool | None
    violated: tuple[str, ...] = ()
    reason: str = ""


def name_of(release: str) -> str:
    """Return the name of a release's environment."""
    return f"nautilus-{release}"


def python_of(release: str, on_build: Callable[[], None] = lambda: None) -> Path:
    """Return the interpreter of a release, whose environment is made if there is none.

    ``on_build`` is called before that, which takes a minute.  Raises `ReleaseError`.
    """
    if release == nautilus_trader.__version__:
        return Path(sys.executable)
    if release not in VERSIONS:
        raise ReleaseError(
            f"nautilus_trader {release} is not known; known are {', '.join(VERSIONS)}"
        )
    python = ROOT / ".tox" / name_of(release) / "bin" / "python"
    if python.exists():
        return python
    if not (ROOT / "tox.ini").exists():
        raise ReleaseError("other releases are run from a checkout: here is no tox.ini")
    on_build()
    command = [sys.executable, "-m", "tox", "run", "-qq", "-e", name_of(release), "--notest"]
    made = subprocess.run(  # noqa: S603 - a command of our own
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise ReleaseError(
            f"the environment of nautilus_trader {release} cannot be made:\n"
            f"{(made.stdout + made.stderr).strip()}"
        )
    return python


def recon(python: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run the command ``recon`` of this checkout on the release of an interpreter."""
    return subprocess.run(  # noqa: S603 - a command of our own
        [python, "-m", "sim", *args],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def judge(release: str, path: Path, engine: str, python: Path) -> Run:
    """Run a scenario on a release and say whether the property that it shows holds."""
    done = recon(python, "run", str(path), "--engine", engine, "--quiet", "--ndjson", "-")
    try:
        record: dict[str, Any] = msgspec.json.decode(done.stdout.splitlines()[0])
    except (IndexError, msgspec.DecodeError):
        # A panic of NautilusTrader's Rust code ends the process, and says so at its end.
        said = (done.stderr or done.stdout).strip().splitlines()
        reason = said[-1] if said else f"it ended with {done.returncode}"
        return Run(release, None, reason=reason)
    violated = tuple(dict.fromkeys(v["property"] for v in record.get("violations", ())))
    if record["shows"] in violated:
        return Run(release, False, violated)
    if record["verdict"] in ("pass", "fail"):
        return Run(release, True, violated)
    reasons = [str(record.get("error") or ""), *record.get("reasons", ())]
    return Run(release, None, violated, next(filter(None, reasons), record["verdict"]))


def story(path: Path, engine: str, python: Path) -> str:
    """Return the story of a run on a release."""
    return recon(python, "run", str(path), "--engine", engine, "--story").stdout
