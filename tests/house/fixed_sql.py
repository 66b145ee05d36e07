"""Whether the SQL of a source is made of the source's own text only; values go in as parameters (S-15).

A statement may be put together, as of lists of columns. What goes in has to be fixed: a literal, a constant (a name in
capitals), or made of such by ``join``, a choice, a comprehension or an assignment in the same function. A few functions
take SQL (:data:`TAKES_SQL`): there it counts as fixed, and whoever calls them has to give fixed text.
"""

import ast
import re
from collections.abc import Iterator

RUNS = {"execute", "executemany", "stream", "copy"}
BEGINS = re.compile(
    r"\s*(select\s|insert\s+into\s|update\s+[\w.]+\s+set\s|delete\s+from\s|with\s+\w+\s+as\s|merge\s+into\s|copy\s+\w"
    r"|create\s+(table|role|schema|database|view)|alter\s+\w|grant\s|revoke\s|drop\s+\w|truncate\s)",
    re.IGNORECASE,
)
CONSTANT = re.compile(r"_{0,2}[A-Z][A-Z0-9_]*")
TEXT_CALLS = {"join", "encode", "strip", "replace", "removeprefix", "format", "split"}
TAKES_SQL: dict[str, dict[str, int]] = {
    "get_by_beginning": {"among": 3},
    "_beginning": {"among": 2},
    "_found": {"where": 1},
    "Step": {"due": 1, "done": 2},
    "Look": {"query": 0, "taken": 2},
    "is_held_by_another": {"name": 0},
    "is_held_by_us": {"name": 0},
}
"""Function or class -> its parameters or fields that are SQL, with their places."""
GIVES_SQL = {"is_held_by_another", "is_held_by_us"}
FIELDS = {field for name, given in TAKES_SQL.items() if name[0].isupper() for field in given}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def loose_statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Every statement with something in it that is not fixed."""
    private = {name for name in TAKES_SQL if name.startswith("_")} - _own_takers(tree)
    for scope, node in _with_scope(tree, None):
        given = (*_statement(node), *_given_sql(node, private))
        yield from (each for each in given if not is_fixed(each, scope))


def _own_takers(tree: ast.AST) -> set[str]:
    """Functions of this source that take SQL; another source may have one of the same name that does not."""
    own = [node for node in ast.walk(tree) if isinstance(node, Function)]
    return {each.name for each in own if set(TAKES_SQL.get(each.name, {})) & _parameters(each)}


def _parameters(function: Function) -> set[str]:
    given = function.args
    return {each.arg for each in [*given.posonlyargs, *given.args, *given.kwonlyargs]}


def _with_scope(node: ast.AST, scope: Function | None) -> Iterator[tuple[Function | None, ast.AST]]:
    """Every node with the innermost function that it is in."""
    for child in ast.iter_child_nodes(node):
        inner = child if isinstance(child, Function) else scope
        yield inner, child
        yield from _with_scope(child, inner)


def _statement(node: ast.AST) -> Iterator[ast.AST]:
    """A text that is put together and begins as SQL, or is handed to what runs SQL."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in RUNS and node.args:
        yield from [node.args[0]] if _is_built(node.args[0]) else []
    elif _is_built(node) and BEGINS.match(_beginning(node)):
        yield node


def _given_sql(node: ast.AST, others: set[str]) -> Iterator[ast.AST]:
    """What a call gives to a function that takes SQL. ``others``: names that mean another function here."""
    if not isinstance(node, ast.Call):
        return
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    for name, place in ({} if called in others else TAKES_SQL.get(called, {})).items():
        yield from node.args[place : place + 1]
        yield from (each.value for each in node.keywords if each.arg == name)


def _is_built(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return (node.func.attr == "format" and _is_text(node.func.value)) or _is_built(node.func.value)
    is_sum = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod)
    return isinstance(node, ast.JoinedStr) or (is_sum and _beginning(node) != "")


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _beginning(node: ast.AST) -> str:
    """The literal text that an expression begins with."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return _beginning(node.values[0]) if node.values else ""
    if isinstance(node, ast.BinOp):
        return _beginning(node.left)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _beginning(node.func.value)
    return ""


def is_fixed(node: ast.AST | None, scope: Function | None) -> bool:
    """Whether an expression holds nothing but text of the source."""
    match node:
        case ast.Constant():
            return True
        case ast.JoinedStr(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.BoolOp(values=parts):
            return all(is_fixed(part, scope) for part in parts)
        case ast.FormattedValue(value=inner) | ast.Starred(value=inner) | ast.Subscript(value=inner):
            return is_fixed(inner, scope)
        case ast.BinOp(left=left, right=right):
            return is_fixed(left, scope) and is_fixed(right, scope)
        case ast.IfExp(body=body, orelse=orelse):
            return is_fixed(body, scope) and is_fixed(orelse, scope)
        case ast.Dict(values=values):
            return all(is_fixed(value, scope) for value in values)
        case ast.GeneratorExp() | ast.ListComp() | ast.SetComp():
            return all(is_fixed(each.iter, scope) for each in node.generators)
        case ast.Attribute(attr=name):
            return name in FIELDS or CONSTANT.fullmatch(name) is not None
        case ast.Name(id=name):
            return CONSTANT.fullmatch(name) is not None or _is_fixed_name(name, scope)
        case ast.Call(func=ast.Name(id=name)):
            return name in GIVES_SQL
        case ast.Call(func=ast.Attribute(value=text, attr=name), args=given):
            return name in TEXT_CALLS and all(is_fixed(each, scope) for each in (text, *given))
    return False


def _is_fixed_name(name: str, scope: Function | None) -> bool:
    """Whether a name of a function is SQL that it is given, or made of fixed text wherever it is assigned."""
    if scope is None:
        return False
    if name in _parameters(scope):
        return name in TAKES_SQL.get(scope.name, {})
    made = list(_values_of(name, scope))
    return bool(made) and all(name not in _names(value) and is_fixed(value, scope) for value in made)


def _values_of(name: str, scope: Function) -> Iterator[ast.AST]:
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _assigned(name, target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value is not None:
            yield from _assigned(name, node.target, node.value)
        elif isinstance(node, ast.comprehension | ast.For) and name in _names(node.target):
            yield node.iter


def _assigned(name: str, target: ast.AST, value: ast.AST) -> Iterator[ast.AST]:
    pairs = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts)
    if pairs:
        for part, own in zip(target.elts, value.elts, strict=True):  # type: ignore[attr-defined]
            yield from _assigned(name, part, own)
    elif name in _names(target):
        yield value


def _names(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
