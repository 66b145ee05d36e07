"""Thrift's compact protocol, as far as Parquet footers and page headers use it: read, edit, write back."""

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, STRUCT = range(1, 13)

_ONE = tuple(bytes((byte,)) for byte in range(256))

T = TypeVar("T", int, bytes, "Struct", "Items")


class Field(NamedTuple):
    """One field of a Thrift structure: number, compact type, value."""

    number: int
    type: int
    value: "Value"


class Struct(NamedTuple):
    """A Thrift structure with its fields in their original order."""

    fields: tuple[Field, ...]

    def get(self, number: int, kind: type[T]) -> T | None:
        """The value of a field, if it is there and of that kind."""
        for field in self.fields:
            if field.number == number:
                return field.value if isinstance(field.value, kind) else None
        return None

    def holding(self, number: int, value: "Value") -> "Struct":
        """A copy with another value in an existing field."""
        return Struct(
            tuple([Field(number, each.type, value) if each.number == number else each for each in self.fields])
        )


class Items(NamedTuple):
    """A Thrift list or set of one element type."""

    type: int
    values: tuple["Value", ...]

    def structs(self) -> Iterator[Struct]:
        return (value for value in self.values if isinstance(value, Struct))


Value = bool | int | bytes | Struct | Items


class _Decoder:
    """Decodes Thrift values from an offset onwards."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def struct(self) -> Struct:
        fields: list[Field] = []
        number = 0
        while head := self._byte():
            kind = head & 15
            number = number + (head >> 4) if head >> 4 else _unzigzag(self._varint())
            fields.append(Field(number, kind, kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind)))
        return Struct(tuple(fields))

    def _value(self, kind: int) -> Value:
        if kind in (_I16, _I32, _I64):
            return _unzigzag(self._varint())
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._byte()
        if kind == STRUCT:
            return self.struct()
        if kind in (_LIST, _SET):
            return self._items()
        if kind in (_BINARY, _DOUBLE):
            return self._bytes(self._varint() if kind == _BINARY else 8)
        raise ValueError("a Thrift type that Parquet footers do not use")

    def _items(self) -> Items:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        return Items(head & 15, tuple(self._value(head & 15) for _ in range(count)))

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _bytes(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count : self.at]

    def _varint(self) -> int:
        byte = self._byte()
        if byte < 128:
            return byte
        value, shift = byte & 127, 7
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value


def decoded(data: bytes, at: int = 0) -> tuple[Struct, int]:
    """The structure that begins at ``at``, and its end offset. Raises IndexError or ValueError when there is none."""
    decoder = _Decoder(data, at)
    return decoder.struct(), decoder.at


def encoded(value: Struct) -> bytes:
    """The compact form of a structure."""
    out = bytearray()
    last = 0
    for each in value.fields:
        kind = (_TRUE if each.value else _FALSE) if each.type in (_TRUE, _FALSE) else each.type
        step = each.number - last
        out += _ONE[step << 4 | kind] if 0 < step < 16 else _ONE[kind] + _varint(_zigzag(each.number))
        last = each.number
        if each.type not in (_TRUE, _FALSE):
            out += _plain(each.type, each.value)
    return bytes(out) + b"\0"


def _plain(kind: int, value: Value) -> bytes:
    if isinstance(value, Struct):
        return encoded(value)
    if isinstance(value, Items):
        count = len(value.values)
        head = bytes((min(count, 15) << 4 | value.type,)) + (_varint(count) if count >= 15 else b"")
        return head + b"".join(_plain(value.type, each) for each in value.values)
    if isinstance(value, bytes):
        return value if kind == _DOUBLE else _varint(len(value)) + value
    return bytes((value,)) if kind in (_TRUE, _FALSE, _BYTE) else _varint(_zigzag(value))


def _varint(value: int) -> bytes:
    if value < 128:
        return _ONE[value]
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes((value,))


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _unzigzag(value: int) -> int:
    return value >> 1 if value % 2 == 0 else -(value + 1 >> 1)
