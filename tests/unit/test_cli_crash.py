"""``recon crash``: what it prints, keeps and exits with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sim.cli import main
from sim.engines import StockDefaults
from tests.unit.commands import LEFT_OPEN, MALFORMED, PASSES, write


class Stumbles(StockDefaults):
    """Raises as soon as it finds an order in the cache that it has loaded."""

    name = "stumbles"

    def attach(self, node: Any) -> None:
        if node.cache.orders():
            raise ValueError("there is an order")


class Wavers(StockDefaults):
    """Writes something of its own in the first run of this process only."""

    name = "wavers"
    runs = 0

    def attach(self, node: Any) -> None:
        type(self).runs += 1
        if type(self).runs == 1:
            node.kernel.clock.set_time_alert_ns(
                "once", node.kernel.clock.timestamp_ns() + 1, lambda _: node.cache.add("x", b"1")
            )


def crash(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["crash", *arguments])


def found(folder: Path) -> list[Path]:
    return sorted((folder / "scenarios" / "found").glob("*.yaml"))


def test_nothing_is_violated(folder: Path):
    write(folder, "a.yaml", PASSES)
    result = crash("a.yaml", "--point", "write 2 of orders:O-")

    assert result.exit_code == 0, result.output
    assert re.search(r"a\.yaml \[recon\]: 2 of \d+ points; without a kill: pass", result.stdout)
    assert re.search(r"^ kept +2 +0 +2 +0 +0 +0 +-", result.stdout, re.MULTILINE)
    assert result.stdout.endswith(
        "recon: 1 scenarios, 2 points, 7 runs: pass 7; violated: nothing\n"
    )
    assert "a.yaml [recon]: 2 points, 7 runs, 0 violated" in result.stderr
    assert not found(folder)


def test_what_is_violated_is_kept(folder: Path):
    write(folder, "a.yaml", LEFT_OPEN)
    engine = f"{__name__}:Stumbles"
    options = ("--point", "after write 3 of orders:O-1", "--fate", "kept", "--fate", "torn")
    result = crash("a.yaml", "--engine", engine, *options)
    [path] = found(folder)

    assert result.exit_code == 1, result.output
    assert re.search(r"^ kept +1 +0 +0 +0 +1 +0 +crash 1\b", result.stdout, re.MULTILINE)
    assert re.search(r"^ torn +0 +1 +0 +0 +0 +0 +-", result.stdout, re.MULTILINE)
    assert "lost" not in result.stdout
    name = path.relative_to(folder)
    assert f"kept: {name}  after write 3 of orders:O-1, kept" in result.stdout
    text = path.read_text()
    assert "# a.yaml: A#0 is killed after write 3 of orders:O-1, the cache is kept\n" in text
    assert f"# replay: recon run {name} --engine {engine}\n" in text


def test_so_many_are_kept_and_no_more(folder: Path):
    write(folder, "a.yaml", LEFT_OPEN)
    options = ("--point", "of index:orders_", "--fate", "kept", "--keep", "2", "--out", "kept")
    result = crash("a.yaml", "--engine", f"{__name__}:Stumbles", *options)

    assert result.exit_code == 1
    assert len(list((folder / "kept").iterdir())) == 2
    assert re.search(r"not kept: \d+ more", result.stdout)


def test_several_engines_and_processes(folder: Path):
    write(folder, "a.yaml", PASSES)
    arguments = (
        *("a.yaml", "--engine", "recon", "--engine", "stock"),
        *("--point", "of orders:O-2", "--fate", "kept", "--down", "2s"),
    )
    one, two = crash(*arguments), crash(*arguments, "--jobs", "2")

    assert one.stdout == two.stdout
    assert one.exit_code == two.exit_code
    assert one.stdout.count("without a kill") == 2
    assert re.search(r"^stock: 1 scenarios, 4 points", one.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "Missing argument"),
        (("none.yaml",), "none.yaml"),
        (("bad.yaml",), "bad.yaml:8:43: unknown word 'quantiy'"),
        (("a.yaml", "--engine", "nobody"), "nobody"),
        (("a.yaml", "--fate", "burnt"), "burnt"),
        (("a.yaml", "--down", "soon"), "soon"),
        (("a.yaml", "--point", "before breakfast"), "there is no such point"),
        (("a.yaml", "--point", "write 1 of currencies:BTC", "--fate", "torn"), "no such point"),
        (("a.yaml", "--engine", f"{__name__}:refuses"), "there is nothing to attach to"),
    ],
)
def test_wrong_usage(folder: Path, arguments: tuple[str, ...], says: str):
    write(folder, "a.yaml", PASSES)
    write(folder, "bad.yaml", MALFORMED)
    result = crash(*arguments)

    assert result.exit_code == 2, result.output
    assert says in result.stderr


def refuses(node: Any) -> None:
    raise ValueError("there is nothing to attach to")


def test_a_point_that_is_not_reached_again_is_an_error_of_the_harness(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Wavers, "runs", 0)
    write(folder, "a.yaml", PASSES)
    options = ("--point", "general:x", "--fate", "kept")
    result = crash("a.yaml", "--engine", f"{__name__}:Wavers", *options)

    assert result.exit_code == 4, result.output
    assert "error: after write 1 of general:x, kept: " in result.stdout
    assert "the point was not reached" in result.stdout
