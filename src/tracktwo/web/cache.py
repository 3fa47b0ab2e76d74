"""Finished responses, kept in front of the framework: a release never changes, so neither does what it answered.

Bounded in bytes. The key holds all that a response may depend on: the release, the request line, and every header that
some response names in `Vary`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cachetools import LRUCache

_MAX_BYTES = 64 << 20
_MAX_ENTRY_BYTES = 1 << 20
_MAX_KEY_BYTES = 2 << 10
_OVERHEAD_BYTES = _MAX_KEY_BYTES + 1024  # of an entry besides headers and body: its key, Python's own objects

#: Request headers that responses vary by; a request with another that matters is answered anew.
_VARIES = (b"accept", b"accept-encoding", b"accept-language")
_CONDITIONS = (b"if-none-match", b"if-modified-since", b"range", b"cache-control")
_KEPT_STATUS = (200, 301, 303)

Key = tuple[str, ...]


@dataclass(frozen=True)
class Finished:
    """A whole response: status, raw headers, body."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @property
    def size(self) -> int:
        """How many bytes it holds."""
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers)


class ResponseCache:
    """The least recently used go first. Used from one thread, the event loop's."""

    def __init__(self, max_bytes: int = _MAX_BYTES) -> None:
        self._entries: LRUCache[Key, Finished] = LRUCache(max_bytes, lambda entry: entry.size + _OVERHEAD_BYTES)

    def key(self, release: str, scope: Mapping[str, Any]) -> Key | None:
        """The key of a request (an ASGI scope), None where its answer is not to be kept."""
        if scope["method"] not in ("GET", "HEAD"):
            return None
        found = dict.fromkeys(_VARIES, "")
        for name, value in scope["headers"]:
            if name in _CONDITIONS:
                return None
            if name in found:
                found[name] += value.decode("latin-1") + ","
        line = (release, scope["method"], scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1"))
        key = (*line, *found.values())
        return key if sum(map(len, key)) <= _MAX_KEY_BYTES else None

    def get(self, key: Key | None) -> Finished | None:
        """The response that is kept under a key."""
        return self._entries.get(key) if key is not None else None

    def keep(self, key: Key | None, finished: Finished) -> None:
        """Keep a response, if it may be shared and is small enough."""
        control = dict(finished.headers).get(b"cache-control", b"")
        if key is None or finished.status not in _KEPT_STATUS or not control.startswith(b"public"):
            return
        if len(finished.body) <= _MAX_ENTRY_BYTES:
            self._entries[key] = finished
