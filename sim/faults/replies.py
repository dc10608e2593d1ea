"""Faults of the venue's own answers: their bodies and headers on the way back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from sim.faults.requests import RequestFault, impaired_by
from sim.venue.wire import Headers, Request, Response

type How = Literal["truncated", "empty", "html", "text", "not-json", "garbage"]


class ReplyFault(RequestFault, ABC):
    """A fault of answers.  One in which it has nothing to change is none that it could hit."""

    def on_response(self, request: Request, response: Response, now_ns: int) -> Response | None:
        if not self._matches(request):
            return None
        changed = self.changed(response)
        if changed == response or not self._hits():
            return None
        self.act(impaired_by(request), now_ns)
        return changed

    @abstractmethod
    def changed(self, response: Response) -> Response:
        """Return what arrives of an answer."""


_PAGE = b"<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body></body></html>\n"


class GarbledReply(ReplyFault):
    """An answer with a good status whose body is not what was asked for."""

    def __init__(self, label: str, *, how: How, **wanted: Any) -> None:
        super().__init__(label, **wanted)
        self._how = how

    def changed(self, response: Response) -> Response:
        body = response.body
        match self._how:
            case "truncated":
                return msgspec.structs.replace(response, body=body[: len(body) // 2])
            case "empty":
                return msgspec.structs.replace(response, body=b"")
            case "not-json":
                # It begins as JSON does.
                return msgspec.structs.replace(response, body=b"[object Object]")
            case "garbage":
                # No text in any encoding of the web, and no gzip either.
                scrambled = bytes(255 - byte for byte in body) or b"\xff"
                return msgspec.structs.replace(response, body=b"\x1f\x8b" + scrambled)
            case "html":
                return _other(response, "text/html", _PAGE)
            case "text":
                return _other(response, "text/plain", b"ok")


def _other(response: Response, content_type: str, body: bytes) -> Response:
    kept = tuple(header for header in response.headers if header[0] != "Content-Type")
    return Response(response.status, (("Content-Type", content_type), *kept), body)


class AlteredReply(ReplyFault):
    """A good answer in which a field is another than the venue's.

    ``alter`` returns what becomes of the decoded body, which it may change.
    """

    def __init__(self, label: str, *, alter: Callable[[Any], Any], **wanted: Any) -> None:
        super().__init__(label, **wanted)
        self._alter = alter

    def changed(self, response: Response) -> Response:
        if response.status != 200:
            return response
        try:
            body = msgspec.json.decode(response.body)
        except msgspec.DecodeError:
            return response
        before = msgspec.json.encode(body)
        after = msgspec.json.encode(self._alter(body))
        # Encoding may have changed the spelling of numbers: only what was altered counts.
        return response if after == before else msgspec.structs.replace(response, body=after)


class AlteredHeader(ReplyFault):
    """A good answer in which a header is missing, or says something else."""

    def __init__(self, label: str, *, header: str, value: str | None, **wanted: Any) -> None:
        super().__init__(label, **wanted)
        self._header = header.lower()
        self._value = value

    def changed(self, response: Response) -> Response:
        headers: Headers = tuple(
            (name, value if name.lower() != self._header else self._value or "")
            for name, value in response.headers
            if name.lower() != self._header or self._value is not None
        )
        return msgspec.structs.replace(response, headers=headers)


class Alteration(msgspec.Struct, frozen=True):
    """A change of one field of a JSON body, wherever ``path`` leads.

    The parts of a path are names, numbers of items from 0, and ``*`` for each item.
    """

    path: tuple[str, ...]
    change: Literal["set", "append", "drop"]
    value: Any = None

    def __call__(self, body: Any) -> Any:
        """Return the body with the change; a path that leads nowhere changes nothing."""
        if not self.path:
            return self.value if self.change == "set" else body
        *way, last = self.path
        for holder in _reached([body], way):
            for key in _keys(holder, last):
                self._do(holder, key)
        return body

    def _do(self, holder: Any, key: str | int) -> None:
        if self.change == "set":
            holder[key] = self.value
        elif self.change == "drop":
            del holder[key]
        elif isinstance(holder[key], list):
            holder[key].append(self.value)


def _reached(holders: list[Any], way: list[str]) -> list[Any]:
    for part in way:
        holders = [holder[key] for holder in holders for key in _keys(holder, part)]
    return holders


def _keys(holder: Any, part: str) -> list[Any]:
    """Return where a part of a path leads in a value: from the end, so that items may go."""
    if isinstance(holder, dict):
        return [part] if part in holder else list(reversed(holder)) if part == "*" else []
    if isinstance(holder, list):
        if part == "*":
            return list(reversed(range(len(holder))))
        return [int(part)] if part.isdigit() and int(part) < len(holder) else []
    return []
