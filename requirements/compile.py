"""Pin what the simulation needs on each release: ``python compile.py pip-compile ARGS...``.

What all releases have in common stands in `common.txt`, and the rest in a file for each.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
RELEASES = [f"1.{minor}.0" for minor in range(221, 231)]
HEAD = "# Written by `make requirements`.\n"


def needs(release: str) -> str:
    """Return what the project needs beside a release, as `pyproject.toml` says."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    found = [*project["dependencies"], *extras["sim"], *extras["redis"]]
    pinned = f"nautilus_trader=={release}"
    return "\n".join(pinned if re.match(r"nautilus_trader\b", need) else need for need in found)


def pinned(compiler: list[str], release: str) -> set[str]:
    """Return the entries of one release, each with its hashes."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.txt"), Path(folder, "out.txt")
        source.write_text(needs(release))
        subprocess.run([*compiler, "--no-annotate", "-o", target, source], check=True)  # noqa: S603
        entries = re.findall(r"^[a-z].*(?:\n .*)*", target.read_text(), re.M | re.I)
    return {entry + "\n" for entry in entries}


def main() -> None:
    """Write all files."""
    found = {release: pinned(sys.argv[1:], release) for release in RELEASES}
    common = set.intersection(*found.values())
    (HERE / "common.txt").write_text(HEAD + "".join(sorted(common)))
    for release, entries in found.items():
        own = "".join(sorted(entries - common))
        (HERE / f"nautilus-{release}.txt").write_text(f"{HEAD}-r common.txt\n{own}")


if __name__ == "__main__":
    main()
