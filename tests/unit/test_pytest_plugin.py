"""Scenario files as tests of pytest."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from tests.unit.commands import FAILS, INCONCLUSIVE, KNOWN, MALFORMED, PASSES, write

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]

ENTRY_POINT = """
[pytest11]
sim.pytest_plugin = sim.pytest_plugin
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Return a project with a root conftest.py as that of this checkout, and its strictness."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest('pytest_plugins = ["sim.pytest_plugin"]')
    pytester.makeini("[pytest]\naddopts = --strict-config\nfilterwarnings = error\n")
    return pytester


def test_an_expected_verdict_passes_and_no_other(project: pytest.Pytester):
    for name, text in (("known", KNOWN), ("passes", PASSES), ("fails", FAILS)):
        write(project.path, f"scenarios/a/{name}.yaml", text)
    write(project.path, "scenarios/inconclusive.yaml", INCONCLUSIVE)
    result = project.runpytest_inprocess("-v")

    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        [
            "scenarios/a/fails.yaml::stock FAILED*",
            "scenarios/a/known.yaml::stock PASSED*",
            "scenarios/a/passes.yaml::stock PASSED*",
            "scenarios/inconclusive.yaml::stock FAILED*",
            "*scenarios/a/fails.yaml [[]stock[]]*",
            "scenarios/a/fails.yaml: An order is sent and filled [[]stock[]] fail (UNEXPECTED)",
            '*2.000s  {at: 2s, fill: {order: O-1, quantity: "1"}}',
            "* phantom-fill: BTCUSDT*",
            "*replay: recon run scenarios/a/fails.yaml --engine stock",
            "*scenarios/inconclusive.yaml [[]stock[]]*",
            "* inconclusive (UNEXPECTED)",
            "* inconclusive: drop_event*never acted",
        ],
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_only_scenario_files_are_collected(project: pytest.Pytester):
    write(project.path, "docker-compose.yaml", "services: {}\n")
    write(project.path, "tests/data.yaml", "- 1\n")
    write(project.path, "scenarios/notes.txt", "no scenario\n")
    write(project.path, "scenarios/values.yaml", "title: of another tool\nitems: []\n")
    write(project.path, "scenarios/a.yaml", PASSES)
    write(project.path, "tests/given.yaml", PASSES)
    everything = project.runpytest_inprocess("--collect-only", "-q", ".")
    given = project.runpytest_inprocess("--collect-only", "-q", "tests/given.yaml")

    assert everything.outlines[:2] == ["scenarios/a.yaml::stock", ""]
    assert given.outlines[:2] == ["tests/given.yaml::stock", ""]


def test_the_folders_of_scenarios_are_an_option(project: pytest.Pytester):
    project.makeini("[pytest]\nrecon_scenarios =\n  one\n  two/three\n")
    for name in ("one/a.yaml", "two/b.yaml", "two/three/c.yaml", "scenarios/d.yaml"):
        write(project.path, name, PASSES)
    result = project.runpytest_inprocess("--collect-only", "-q")

    assert result.outlines[:3] == ["one/a.yaml::stock", "two/three/c.yaml::stock", ""]


def test_a_malformed_file_is_one_error_in_the_loader_s_words(project: pytest.Pytester):
    write(project.path, "scenarios/bad.yaml", MALFORMED)
    write(project.path, "scenarios/good.yaml", PASSES)
    result = project.runpytest_inprocess("--continue-on-collection-errors")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR collecting scenarios/bad.yaml*",
            "scenarios/bad.yaml:8:*: unknown word 'quantiy' in submit; did you mean 'quantity'?",
        ],
    )
    result.stdout.no_fnmatch_line("*Traceback*")


ENGINES = """
def refuses(node):
    raise KeyError("nothing here")
"""


def test_each_engine_is_a_test_of_its_own(project: pytest.Pytester):
    project.makepyfile(mine=ENGINES)
    write(project.path, "scenarios/known.yaml", KNOWN)
    names = ("stock", "stock-defaults", "mine:refuses")
    engines = [word for name in names for word in ("--recon-engine", name)]
    result = project.runpytest_inprocess("-v", "--recon-seed", "9", *engines)

    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "scenarios/known.yaml::stock PASSED*",
            "scenarios/known.yaml::stock-defaults FAILED*",
            "scenarios/known.yaml::mine:refuses FAILED*",
            "*replay: recon run scenarios/known.yaml --engine stock-defaults --seed 9",
            "error: engine 'mine:refuses' failed in attach: KeyError: 'nothing here'",
            "replay: recon run scenarios/known.yaml --engine mine:refuses --seed 9",
        ],
    )


def test_tests_are_selected(project: pytest.Pytester):
    write(project.path, "scenarios/a.yaml", PASSES)
    write(project.path, "scenarios/known.yaml", KNOWN)
    write(project.path, "scenarios/restart/b.yaml", PASSES)
    project.makepyfile(test_other="def test_other(): pass")
    by_word = project.runpytest_inprocess("--collect-only", "-q", "-k", "known or restart")
    by_property = project.runpytest_inprocess(
        *("--collect-only", "-q", "--recon-property", "phantom-fill", "--recon-property", "crash"),
    )

    assert by_word.outlines[:3] == [
        "scenarios/known.yaml::stock",
        "scenarios/restart/b.yaml::stock",
        "",
    ]
    assert by_property.outlines[:3] == [
        "scenarios/known.yaml::stock",
        "test_other.py::test_other",
        "",
    ]
    by_property.stdout.fnmatch_lines(["2/4 tests collected (2 deselected)*"])


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--recon-engine", "stok", "unknown engine 'stok'; use stock, stock-defaults, recon or *"),
        ("--recon-engine", "no.such:thing", "*cannot import no.such*"),
        ("--recon-property", "phantom", "no property 'phantom'; did you mean 'phantom-fill'?"),
        ("--recon-seed", "-1", "'-1' is not a whole number from 0 on"),
    ],
)
def test_usage_errors(project: pytest.Pytester, option: str, value: str, said: str):
    result = project.runpytest_inprocess(f"{option}={value}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{option}: {said}"])
    result.stderr.no_fnmatch_line("*Traceback*")


def test_a_failing_harness_says_so(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("the oracle is broken")

    monkeypatch.setattr("sim.report.result.judge", broken)
    write(project.path, "scenarios/s.yaml", PASSES)
    result = project.runpytest_inprocess()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*harness error: ZeroDivisionError: the oracle is broken*"])
    result.stdout.no_fnmatch_line("*Traceback*")


WARNS = """
import warnings

def attach(node):
    warnings.warn("an engine of yesterday", DeprecationWarning)
"""


def test_a_filter_of_warnings_changes_no_verdict(project: pytest.Pytester):
    project.makepyfile(mine=WARNS)
    write(project.path, "scenarios/s.yaml", PASSES)
    result = project.runpytest_inprocess("--recon-engine", "mine:attach")

    result.assert_outcomes(passed=1, warnings=1)


ONCE = """
def test_it(pytestconfig):
    named = pytestconfig.pluginmanager.list_name_plugin()
    assert [name for name, plugin in named if name == "sim.pytest_plugin" and plugin]
    assert len([p for _, p in named if getattr(p, "__name__", "") == "sim.pytest_plugin"]) == 1
"""


@pytest.mark.parametrize("conftest", ['pytest_plugins = ["sim.pytest_plugin"]', ""])
def test_an_installed_package_and_a_conftest_bring_it_once(
    project: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    conftest: str,
):
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    write(project.path, "installed-1.dist-info/entry_points.txt", ENTRY_POINT)
    write(project.path, "installed-1.dist-info/METADATA", "Name: installed\nVersion: 1\n")
    project.makeconftest(conftest)
    project.makepyfile(ONCE)
    # With -m the current folder, where the package is installed, is on the path.
    command = (sys.executable, "-m", "pytest", "--recon-seed=1", "-p", "no:asyncio")
    project.run(*command).assert_outcomes(passed=1)


def test_the_entry_point_has_the_name_that_conftest_uses():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]

    assert declared == {"pytest11": {"sim.pytest_plugin": "sim.pytest_plugin"}}
    assert 'pytest_plugins = ["sim.pytest_plugin"]' in (ROOT / "conftest.py").read_text()


def test_where_nobody_has_scenarios_nothing_slow_is_imported(project: pytest.Pytester):
    project.makepyfile(
        """
        import sys

        def test_it():
            assert "sim.pytest_plugin" in sys.modules
            assert not {"nautilus_trader", "sim.world"} & set(sys.modules)
        """,
    )
    project.runpytest_subprocess().assert_outcomes(passed=1)
