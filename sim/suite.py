"""The shipped suite, and how paths on a command line become scenario files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

PATTERN = "*.yaml"


def suite() -> Path:
    """Return the folder of the shipped suite: of this folder, or of the checkout."""
    here = Path("scenarios")
    return here if here.is_dir() else Path(__file__).parent.parent / "scenarios"


def scenario_files(paths: Iterable[Path]) -> list[Path]:
    """Return the scenario files that the paths name, each once; without paths the suite.

    A folder stands for all scenario files in it and below, in the order of their
    names.  Raises `FileNotFoundError` for a path that does not exist and for a
    folder without scenarios.
    """
    files: list[Path] = []
    for path in list(paths) or [suite()]:
        if path.is_dir():
            found = sorted(path.rglob(PATTERN))
            if not found:
                raise FileNotFoundError(f"{path}: no scenario file ({PATTERN}) in this folder")
            files += found
        elif path.is_file():
            files.append(path)
        else:
            raise FileNotFoundError(f"{path}: no such file or folder")
    return list(dict.fromkeys(files))
