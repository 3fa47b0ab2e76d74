"""How a query worker and its pool talk: frames of one type byte, a length of four bytes, and a payload."""

import os
import select
import struct

HEADER, DATA, END, ERROR = b"H", b"D", b"E", b"X"

_HEAD = struct.Struct(">cI")
_READ_BYTES = 1 << 16


def pack(kind: bytes, payload: bytes) -> bytes:
    """One frame."""
    return _HEAD.pack(kind, len(payload)) + payload


class Reader:
    """Takes frames from a file descriptor as they come; never blocks unless told to."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = bytearray()
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def next(self) -> tuple[bytes, bytes] | None:
        """The next whole frame that has arrived, or None."""
        if len(self._buffer) < _HEAD.size:
            return None
        kind, length = _HEAD.unpack_from(self._buffer)
        end = _HEAD.size + length
        if len(self._buffer) < end:
            return None
        payload = bytes(self._buffer[_HEAD.size : end])
        del self._buffer[:end]
        return kind, payload

    def has_next(self) -> bool:
        """Has a whole frame arrived?"""
        size = len(self._buffer)
        return size >= _HEAD.size and size >= _HEAD.size + _HEAD.unpack_from(self._buffer)[1]

    def wait(self, seconds: float) -> bool:
        """Wait until there is something to read, or the other side has gone."""
        return bool(self._poll.poll(seconds * 1000))

    def fill(self) -> bool:
        """Read what is there, waiting for something; False at the end."""
        data = os.read(self._descriptor, _READ_BYTES)
        self._buffer += data
        return bool(data)
