"""What is no engine is refused with a sentence that says why."""

from __future__ import annotations

from typing import Any

import pytest

from sim import engines


async def asynchronous(node: Any) -> None:
    """Nobody would await it."""


async def asynchronous_generator(node: Any) -> Any:
    yield node


def generator(node: Any) -> Any:
    yield node


class AttachesLater:
    async def attach(self, node: Any) -> None:
        """Nobody would await it."""


class ConfiguresLater:
    async def configure(self, config: Any, spec: Any) -> Any:
        return config


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        (asynchronous, "'asynchronous' is a coroutine"),
        (asynchronous_generator, "'asynchronous_generator' is an asynchronous generator"),
        (generator, "'generator' is a generator"),
        (AttachesLater, "'attach' is a coroutine"),
        (ConfiguresLater, "'configure' is a coroutine"),
    ],
)
def test_a_hook_that_nobody_would_run_is_refused(engine: Any, said: str):
    with pytest.raises(engines.EngineError, match=f"{said}, which nobody would run"):
        engines.load(f"{__name__}:{engine.__name__}")


class Configures:
    name = "configures"

    def configure(self, config: Any, spec: Any) -> Any:
        return config


class Atach(Configures):
    def atach(self, node: Any) -> None:
        """Meant to be `attach`."""


class Config:
    config = Configures.configure

    def attach(self, node: Any) -> None:
        """A right one beside it."""


class OnlyAtach:
    atach = Atach.atach


class OfAStock(engines.Stock):
    @staticmethod
    def Attach(node: Any) -> None:  # noqa: N802
        """Meant to be `attach`, which the base has."""


class Alert(Configures):
    def alert(self) -> None:
        """Meant to be `alerts`, which is no function."""


class Names(Config):
    config = None

    def names(self) -> None:
        """Meant to be `name`."""


@pytest.mark.parametrize(
    ("engine", "method", "member"),
    [
        (Atach, "atach", "attach"),
        (Config, "config", "configure"),
        (OnlyAtach, "atach", "attach"),
        (OfAStock, "Attach", "attach"),
        (Alert, "alert", "alerts"),
        (Names, "names", "name"),
    ],
)
def test_a_misspelt_member_is_refused(engine: Any, method: str, member: str):
    said = f"a method '{method}' that nobody would call; did you mean '{member}'"
    with pytest.raises(engines.EngineError, match=said):
        engines.load(f"{__name__}:{engine.__name__}")


class HasMethodsOfItsOwn(Configures):
    alerts = "events.alerts"

    def attach(self, node: Any) -> None:
        self._attached(node)

    def _attached(self, node: Any) -> None:
        """An underscore makes any name its author's own."""

    def reconfigure(self) -> None:
        """Near to a member that is there."""

    def alert(self) -> None:
        """Near to a member that is there, too."""

    def detach(self) -> None:
        """Near to nothing."""


def test_an_engine_may_have_methods_of_its_own():
    assert engines.load(f"{__name__}:HasMethodsOfItsOwn")().name == "configures"


# -- alerts ----------------------------------------------------------------------------


class NumberedTopic:
    alerts = 5

    def attach(self, node: Any) -> None: ...


class EmptyTopic(NumberedTopic):
    alerts = ""


@pytest.mark.parametrize("name", ["NumberedTopic", "EmptyTopic"])
def test_a_topic_is_text(name: str):
    with pytest.raises(engines.EngineError, match="'alerts' must be a topic or None, not "):
        engines.load(f"{__name__}:{name}")


@pytest.mark.parametrize("name", [":x", "x:", "nothing"])
def test_a_name_is_whole(name: str):
    with pytest.raises(engines.EngineError, match=r"unknown engine .* package\.module:name"):
        engines.load(name)
