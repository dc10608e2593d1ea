"""Mutation testing of `recon.core`: ``python -m tests.mutation [--properties]``.

Changes the core in small ways, one at a time, and runs its tests on each.  Fails when a
mutant lives that `survivors.toml` does not list, and when one that it lists lives no more.

The core is copied out and tested alone, with neither NautilusTrader nor the simulation:
what it decides depends on nothing else.  Hypothesis draws the same examples each time, so
that the fate of a mutant is the same each time.

What counts is whether any test of the core notices.  Its properties hold in every story; what
follows in one particular case is a table, which its unit tests are, and which as a property
would be the core written twice.  ``--properties`` tells what the properties notice alone.

The tool changes what is in functions: constants, fields and their defaults stay as they are.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.mutation.survivors import (
    LIST,
    ROOT,
    Survivor,
    compared,
    functions,
    of_diff,
    read,
    written,
)

STAGE = ROOT / ".cache" / "mutants"
CORE = "recon/core"
PROPERTIES = "tests/properties"
UNIT = "tests/unit/recon/core"
NEEDS_NAUTILUS = "test_core_states.py"
"""Compares what the tests think of NautilusTrader's orders with them; nothing of the core."""

CONFIG = f"""\
[tool.mutmut]
source_paths = ["recon"]
only_mutate = ["{CORE}/*"]
also_copy = ["conftest.py", "tests"]
pytest_add_cli_args_test_selection = {{tests}}
timeout_multiplier = 4.0
timeout_constant = 10.0
use_git_change_detection = false

[tool.pytest.ini_options]
addopts = ["--strict-markers", "--strict-config", "-p", "no:cacheprovider"]
xfail_strict = true
filterwarnings = ["error"]
"""

CONFTEST = '''\
"""Hypothesis draws the same examples each time, and does not make them smaller."""

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "mutants",
    database=None,
    deadline=None,
    derandomize=True,
    max_examples=100,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("mutants")


def pytest_collection_modifyitems(items):
    """Those that are quick come first: most mutants die of them."""
    items.sort(key=lambda item: (item.nodeid.startswith("tests/properties"), item.nodeid))
'''

PROPERTY = re.compile(
    r"^(?P<indent> +)@property\n +def (?P<name>\w+)(?P<rest>\(self\).*?)"
    r"(?=\n\n(?!(?P=indent) )|\Z)",
    re.M | re.S,
)
AS_METHOD = "_as_method"

KILLED = ("killed", "timeout")
ALIVE = ("survived", "no tests")


class ToolFailed(Exception):
    """The tool did not do what it should have done; nothing follows for the tests."""


def with_methods(source: str) -> str:
    """Return a module whose properties ask a method: the tool leaves what is decorated alone."""
    return PROPERTY.sub(
        rf"\g<indent>def \g<name>{AS_METHOD}\g<rest>\n\n"
        rf"\g<indent>\g<name> = property(lambda self: self.\g<name>{AS_METHOD}())",
        source,
    )


def stage(killers: list[str]) -> None:
    """Lay out the core and its tests, and nothing else of the project."""
    shutil.rmtree(STAGE, ignore_errors=True)
    for name in (CORE, PROPERTIES, UNIT):
        (STAGE / name).mkdir(parents=True)
    (STAGE / "recon/__init__.py").write_text("")
    for path in sorted((ROOT / CORE).glob("*.py")):
        (STAGE / CORE / path.name).write_text(with_methods(path.read_text()))
    tests = sorted((ROOT / PROPERTIES).glob("*recon_*.py")) + sorted((ROOT / UNIT).glob("*.py"))
    for path in tests:
        if path.name != NEEDS_NAUTILUS:
            shutil.copy(path, STAGE / path.relative_to(ROOT))
    (STAGE / "conftest.py").write_text(CONFTEST)
    (STAGE / "pyproject.toml").write_text(CONFIG.format(tests=killers))


def tool(*arguments: str) -> str:
    """Run the tool in the stage and return what it prints."""
    command = [str(Path(sys.executable).with_name("mutmut")), *arguments]
    # The order of a set of strings would be another one each time.
    env = {**os.environ, "PYTHONHASHSEED": "0"}
    env.pop("PYTHONPATH", None)
    done = subprocess.run(command, cwd=STAGE, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolFailed(f"mutmut {' '.join(arguments)}:\n{(done.stdout + done.stderr)[-4000:]}")
    return done.stdout


def fates() -> dict[str, str]:
    """Return what became of each mutant, by the tool's name of it."""
    rows = re.findall(r"^ +(\S+): ([\w ]+)$", tool("results", "--all", "true"), re.M)
    found = dict(rows)
    strange = {name: fate for name, fate in rows if fate not in KILLED + ALIVE}
    if not found or strange:
        raise ToolFailed(f"mutants without a fate: {strange or 'there are none at all'}")
    return found


def dotted(mutant: str) -> str:
    """Return the function that a mutant changes: `recon.core.rank.x_rank__mutmut_3` is rank's."""
    name = re.sub(r"__mutmut_\d+$", "", mutant)
    module, _, function = name.rpartition(".")
    if function.startswith("x_"):
        function = function.removeprefix("x_")
    else:
        function = function.removeprefix("xǁ").replace("ǁ", ".")
    return f"{module}.{function.removesuffix(AS_METHOD)}"


def sources() -> dict[str, list[str]]:
    """Return the lines of all functions of the core as they stand in the project."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / CORE).glob("*.py")):
        found |= functions(path.read_text(), f"{CORE.replace('/', '.')}.{path.stem}")
    return found


def named(mutants: list[str]) -> set[Survivor]:
    """Return the names of mutants that survive when other lines move."""
    stand = sources()
    found: set[Survivor] = set()
    for mutant in mutants:
        function = dotted(mutant)
        diff = tool("show", mutant).replace(f"{AS_METHOD}(self)", "(self)")
        found.add(of_diff(function, diff, stand[function]))
    return found


def main() -> int:
    """Run the tool, print the score, and say what differs from the list."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument(
        "--properties",
        action="store_true",
        help="only print the score that the property tests have alone; compare nothing",
    )
    arguments = parser.parse_args()
    stage([PROPERTIES] if arguments.properties else [PROPERTIES, UNIT])
    tool("run", "--max-children", "1")
    found = fates()
    alive = [name for name, fate in found.items() if fate in ALIVE]
    count = Counter(found.values())
    print(
        f"{len(found)} mutants of {CORE}: " + ", ".join(f"{n} {fate}" for fate, n in count.items())
    )
    print(f"score {(len(found) - len(alive)) / len(found):.1%}")
    if arguments.properties:
        return 0
    listed = read(LIST.read_text())
    verdict = compared(named(alive), listed)
    for one in verdict.gone:
        print(f"listed, and lives no more; take it off the list: {one}")
    if verdict.unlisted:
        print("alive, and not listed; test it, or give it a reason:\n")
        print("\n".join(written(one) for one in verdict.unlisted))
    if verdict.is_as_listed:
        kinds = Counter(kind for kind, _ in listed.values())
        print("those alive are listed: " + ", ".join(f"{n} {kind}" for kind, n in kinds.items()))
    return 0 if verdict.is_as_listed else 1


if __name__ == "__main__":
    sys.exit(main())
