"""Thrift's compact protocol, as far as Parquet footers and page headers use it: read, edit, write back.

A footer has thousands of values, and Python holds its lock while it walks through them. So a walk makes plain tuples
and reads short numbers where it stands, which takes a third of the time.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, STRUCT = range(1, 13)

T = TypeVar("T", int, bytes, "Struct", "Items")


class Struct(NamedTuple):
    """A Thrift structure: number, compact type and value of its fields, in their original order."""

    fields: "tuple[tuple[int, int, Value], ...]"

    def get(self, number: int, kind: type[T]) -> T | None:
        """The value of a field, if it is there and of that kind."""
        for name, _, value in self.fields:
            if name == number:
                return value if isinstance(value, kind) else None
        return None

    def holding(self, number: int, value: "Value") -> "Struct":
        """A copy with another value in an existing field."""
        return Struct(tuple([(number, each[1], value) if each[0] == number else each for each in self.fields]))


class Items(NamedTuple):
    """A Thrift list or set of one element type."""

    type: int
    values: "tuple[Value, ...]"

    def structs(self) -> Iterator[Struct]:
        return (value for value in self.values if isinstance(value, Struct))


Value = bool | int | bytes | Struct | Items


def decoded(data: bytes, at: int = 0) -> tuple[Struct, int]:
    """The structure that begins at ``at``, and its end offset. Raises IndexError or ValueError when there is none."""
    fields: list[tuple[int, int, Value]] = []
    number = 0
    while head := data[at]:
        at += 1
        kind, step = head & 15, head >> 4
        if step:
            number += step
        else:
            number, at = _number(data, at)
        if kind <= _FALSE:
            fields.append((number, kind, kind == _TRUE))
            continue
        value, at = _value(data, at, kind)
        fields.append((number, kind, value))
    return Struct(tuple(fields)), at + 1


def _value(data: bytes, at: int, kind: int) -> "tuple[Value, int]":
    """The value that begins at ``at``, and its end offset."""
    if _I16 <= kind <= _I64:
        return _number(data, at)
    if kind == STRUCT:
        return decoded(data, at)
    if kind == _BINARY:
        size, at = _varint(data, at)
        return data[at : at + size], at + size
    if kind in (_LIST, _SET):
        return _items(data, at)
    if kind == _DOUBLE:
        return data[at : at + 8], at + 8
    if kind <= _BYTE:
        return data[at], at + 1
    raise ValueError("a Thrift type that Parquet footers do not use")


def _items(data: bytes, at: int) -> tuple[Items, int]:
    head, at = data[at], at + 1
    kind, count = head & 15, head >> 4
    if count == 15:
        count, at = _varint(data, at)
    values: list[Value] = []
    for _ in range(count):
        value, at = _value(data, at, kind)
        values.append(value)
    return Items(kind, tuple(values)), at


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A signed number, and its end offset."""
    value = data[at]
    if value < 128:
        at += 1
    else:
        value, at = _varint(data, at)
    return value >> 1 if not value & 1 else -(value + 1 >> 1), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while (byte := data[at]) > 127:
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
    return value | byte << shift, at + 1


def encoded(value: Struct) -> bytes:
    """The compact form of a structure."""
    out = bytearray()
    _put_struct(out, value)
    return bytes(out)


def _put_struct(out: bytearray, struct: Struct) -> None:
    last = 0
    for number, kind, value in struct.fields:
        step, last = number - last, number
        if kind <= _FALSE:
            kind = _TRUE if value else _FALSE
        if 0 < step < 16:
            out.append(step << 4 | kind)
        else:
            out.append(kind)
            _put_number(out, number)
        if kind > _FALSE:
            _put(out, kind, value)
    out.append(0)


def _put(out: bytearray, kind: int, value: Value) -> None:
    if isinstance(value, Struct):
        _put_struct(out, value)
    elif isinstance(value, Items):
        count = len(value.values)
        out.append(min(count, 15) << 4 | value.type)
        if count >= 15:
            _put_varint(out, count)
        for each in value.values:
            _put(out, value.type, each)
    elif isinstance(value, bytes):
        if kind == _BINARY:
            _put_varint(out, len(value))
        out += value
    elif kind <= _BYTE:
        out.append(value)
    else:
        _put_number(out, value)


def _put_number(out: bytearray, value: int) -> None:
    _put_varint(out, value << 1 if value >= 0 else (-value << 1) - 1)


def _put_varint(out: bytearray, value: int) -> None:
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
