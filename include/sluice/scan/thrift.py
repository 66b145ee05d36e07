"""Read Thrift's compact protocol, in which Parquet writes footers and page headers.

Source: thrift/doc/specs/thrift-compact-protocol.md. There is no schema: a struct is a map of field ids.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

DEPTH = 32
TRUE, FALSE = 1, 2


class ThriftBroken(ValueError):
    """Raised for bytes that are not compact Thrift; the message does not quote them."""


@dataclass(frozen=True, slots=True)
class Struct:
    """One struct: its fields by id."""

    fields: "dict[int, bool | int | float | bytes | list[object] | Struct]"

    def number(self, field: int, default: int | None = None) -> int:
        """An integer field. Raises ThriftBroken when it is absent, without a default, or of another type."""
        value = self.fields.get(field, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ThriftBroken
        return value

    def struct(self, field: int) -> "Struct":
        """A nested struct; an empty one when it is absent. Raises ThriftBroken for another type."""
        value = self.fields.get(field, EMPTY)
        if not isinstance(value, Struct):
            raise ThriftBroken
        return value

    def structs(self, field: int) -> "list[Struct]":
        """A list of structs; empty when it is absent. Raises ThriftBroken for another type."""
        value = self.fields.get(field, [])
        if not isinstance(value, list):
            raise ThriftBroken
        return [one for one in value if isinstance(one, Struct)]

    def binaries(self) -> Iterator[bytes]:
        """Every binary field of the struct, and those in its lists, such as minima and maxima."""
        for value in self.fields.values():
            if isinstance(value, bytes):
                yield value
            elif isinstance(value, list):
                yield from (one for one in value if isinstance(one, bytes))


EMPTY = Struct({})


class CompactReader:
    """Reads structs from a buffer, one after the other."""

    def __init__(self, buffer: memoryview, at: int = 0) -> None:
        self._buffer = buffer
        self.at = at

    def struct(self, depth: int = 0) -> Struct:
        """Read the struct that begins here. Raises ThriftBroken."""
        if depth > DEPTH:
            raise ThriftBroken
        fields: dict[int, bool | int | float | bytes | list[object] | Struct] = {}
        field = 0
        while head := self._byte():
            kind, delta = head & 15, head >> 4
            field = field + delta if delta else _unzigzag(self._varint())
            if field in fields:
                raise ThriftBroken
            fields[field] = kind == TRUE if kind in (TRUE, FALSE) else self._value(kind, depth + 1)
        return Struct(fields)

    def _value(self, kind: int, depth: int) -> "int | float | bytes | list[object] | Struct":
        match kind:
            case 1 | 2 | 3:
                return self._byte()
            case 4 | 5 | 6:
                return _unzigzag(self._varint())
            case 7:
                return float(struct.unpack("<d", self._bytes(8))[0])
            case 8:
                return self._bytes(self._varint())
            case 9 | 10:
                return self._list(depth)
            case 12:
                return self.struct(depth)
        raise ThriftBroken  # Parquet has no maps

    def _list(self, depth: int) -> list[object]:
        head = self._byte()
        count = head >> 4 if head >> 4 != 15 else self._varint()
        if depth > DEPTH or count > len(self._buffer) - self.at:
            raise ThriftBroken
        return [self._value(head & 15, depth + 1) for _ in range(count)]

    def _byte(self) -> int:
        if self.at >= len(self._buffer):
            raise ThriftBroken
        self.at += 1
        return self._buffer[self.at - 1]

    def _bytes(self, size: int) -> bytes:
        if size > len(self._buffer) - self.at:
            raise ThriftBroken
        self.at += size
        return bytes(self._buffer[self.at - size : self.at])

    def _varint(self) -> int:
        result = shift = 0
        while shift < 70:
            byte = self._byte()
            result |= (byte & 127) << shift
            if byte < 128:
                return result
            shift += 7
        raise ThriftBroken


def _unzigzag(number: int) -> int:
    return (number >> 1) ^ -(number & 1)
