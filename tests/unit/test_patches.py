"""The table of replaced names: checked, undone, loud."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import nautilus_trader
import pytest
from packaging.specifiers import SpecifierSet

from sim import engines, patches, replacements
from sim.patches import PATCHES, VERSIONS, Patch, PatchMismatch, UnknownVersion
from sim.scenario import loads
from sim.world import World

SCENARIO = """
format: 1
title: Nothing happens
shows: crash
venue: {symbols: [BTCUSDT]}
timeline: [{at: 1s, price: {price: "51000"}}]
"""


@pytest.fixture
def world() -> Any:
    world = World(loads(SCENARIO, "s.yaml"), engines.load("stock"), 1)
    yield world
    world.loop.close()


def names() -> dict[tuple[str, str], Any]:
    return {
        (patch.module, patch.name): inspect.getattr_static(owner, name)
        for patch, owner, name, _ in patches.table()
    }


def test_every_patch_fits_the_installed_release():
    chosen = [patch for patch, *_ in patches.table()]

    assert chosen == [patch for patch in PATCHES if patch.is_for(nautilus_trader.__version__)]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_patch_has_one_signature_in_each_release_that_it_is_for(version: str):
    for patch in PATCHES:
        if patch.is_for(version) and isinstance(patch.signature, Mapping):
            assert len([r for r in patch.signature if version in SpecifierSet(r)]) == 1


def test_every_patch_is_for_a_release():
    assert all(any(patch.is_for(version) for version in VERSIONS) for patch in PATCHES)


def test_what_is_replaced_is_undone(world: World):
    before = names()
    with patches.installed(world):
        during = names()
    after = names()

    assert all(during[key] is not before[key] for key in before)
    assert all(after[key] is before[key] for key in before)


def test_what_is_replaced_is_undone_after_an_error(world: World):
    before = names()
    with pytest.raises(ZeroDivisionError), patches.installed(world):
        raise ZeroDivisionError

    assert all(names()[key] is before[key] for key in before)


def test_installing_twice_is_refused(world: World):
    with patches.installed(world):
        with pytest.raises(RuntimeError, match="already replaced"), patches.installed(world):
            pass
        assert all(value is not None for value in names().values())


def test_an_unknown_release_is_refused():
    with pytest.raises(UnknownVersion, match=r"nautilus_trader 1\.999\.0 is not supported"):
        patches.table("1.999.0")


@pytest.mark.parametrize(
    ("name", "signature", "message"),
    [
        ("NautilusKernel._no_such_method", None, "does not exist"),
        ("NoSuchClass.method", None, "does not exist"),
        ("NautilusKernel._setup_loop", "(self, loop) -> None", "expected"),
    ],
)
def test_a_name_that_is_not_what_it_was_is_named(name: str, signature: str | None, message: str):
    patch = Patch("nautilus_trader.system.kernel", name, signature, "a test", lambda host, _: None)
    with pytest.raises(PatchMismatch, match=message) as caught:
        patches._checked(patch)

    assert name in str(caught.value)
    assert nautilus_trader.__version__ in str(caught.value)


def test_hash_order_is_the_only_reason_to_permute():
    assert {name.rpartition(".")[2] for name in patches.HASH_ORDER} == {
        "_get_cache_active_symbols",
        "_handle_missing_orders_at_venue",
        "adjust_fills_for_partial_window",
    }


def test_ids_are_seeded_and_well_formed(world: World):
    make = replacements.seeded_uuid4(world, None)
    first, second = make(), make()

    assert first != second
    assert first.value[14] == "4"
    assert first.value[19] in "89ab"
