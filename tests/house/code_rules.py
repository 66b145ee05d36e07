"""Rules of the product's source (S-15): each finds a kind of code that must not be there.

They read the syntax tree, so a word in a text is no finding, and follow what a name was imported from. `make audit`
runs bandit beside them.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from house.fixed_sql import loose_statements

Rule = Callable[[ast.Module, Mapping[str, str]], Iterable[ast.AST]]
Node = TypeVar("Node", bound=ast.AST)

SERIALIZERS = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle"}
XML = {"xml.etree", "xml.dom", "xml.sax", "lxml"}
"""Parsers that follow what a document declares; Sluice reads XML with expat, which refuses declarations."""
SHELLS = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "pty.spawn"}
YAML_LOADERS = {f"yaml.{name}" for name in ("load", "load_all", "parse", "compose", "compose_all", "scan")}
YAML_UNSAFE = {f"yaml.{name}" for name in ("full_load", "full_load_all", "unsafe_load", "unsafe_load_all")}
SAFE = re.compile(r"yaml\.C?SafeLoader")
WEAK = {"hashlib.md5", "hashlib.sha1"}
UNCHECKED_TLS = {"ssl._create_unverified_context", "ssl.CERT_NONE"}
TEMPLATES = {"jinja2.Environment", "jinja2.sandbox.SandboxedEnvironment", "jinja2.Template"}
DRAWS = ("random.", "numpy.random.", "uuid.uuid1")
SEEDED = {"random.Random", "numpy.random.default_rng"}
NO_DRAW = SEEDED | {"random.SystemRandom", "numpy.random.Generator"}
"""``SystemRandom`` is fit for secrets; what is given a seed says by itself that it makes none; a type draws nothing."""


def imported(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for: ``{"sha": "hashlib.sha1"}`` after ``from hashlib import sha1 as sha``."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {each.asname: each.name for each in node.names if each.asname}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    return found


def whole_name(node: ast.AST, names: Mapping[str, str]) -> str:
    """The dotted name of an expression, from the module on; empty for anything else."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        before = whole_name(node.value, names)
        return f"{before}.{node.attr}" if before else ""
    return ""


def of_kind(tree: ast.AST, kind: type[Node]) -> Iterator[Node]:
    return (node for node in ast.walk(tree) if isinstance(node, kind))


def calls(tree: ast.Module, names: Mapping[str, str], wanted: Iterable[str]) -> Iterator[ast.Call]:
    return (node for node in of_kind(tree, ast.Call) if whole_name(node.func, names) in set(wanted))


def option(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)


def is_constant(node: ast.AST | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def imports_of(tree: ast.Module, modules: set[str]) -> Iterator[ast.AST]:
    """Imports of these modules or of anything in them."""
    for node in ast.walk(tree):
        told = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            told = [f"{node.module}.{each.name}" for each in node.names]
        if any(f"{each}.".startswith(f"{module}.") for each in told for module in modules):
            yield node


def runs_text(tree: ast.Module, names: Mapping[str, str]) -> Iterator[ast.AST]:
    wanted = {"eval", "exec", "compile", "__import__"}
    return calls(tree, names, wanted | {f"builtins.{name}" for name in wanted})


def unpacks_objects(tree: ast.Module, names: Mapping[str, str]) -> Iterator[ast.AST]:
    return imports_of(tree, SERIALIZERS)


def loads_yaml_with_tags(tree: ast.Module, names: Mapping[str, str]) -> Iterator[ast.AST]:
    yield from calls(tree, names, YAML_UNSAFE)
    for call in calls(tree, names, YAML_LOADERS):
        loader = option(call, "Loader") or (call.args[1] if len(call.args) > 1 else None)
        if loader is None or not SAFE.fullmatch(whole_name(loader, names)):
            yield call


def starts_a_shell(tree: ast.Module, names: Mapping[str, str]) -> Iterator[ast.AST]:
    yield from calls(tree, names, SHELLS)
    for call in of_kind(tree, ast.Call):
        shell = option(call, "shell")
        if shell is not None and not is_constant(shell, False):
            yield call


def runs_a_template(tree: ast.Module, names: Mapping[str, str]) -> Iterator[ast.AST]:
    """Operators whose command Airflow makes of a template (T14)."""
    for node in ast.walk(tree):
        is_operator = isinstance(node, ast.alias) and node.name.rpartition(".")[2] in {"BashOperator", "SSHOperator"}
        if is_operator or (isinstance(node, ast.Attribute) and ast.unparse(node) == "task.bash"):
            yield node


def writes_markup_unescaped(tree: ast.Module, names: Mapping[str, str]) -> Iterator[ast.AST]:
    for call in calls(tree, names, TEMPLATES):
        if not is_constant(option(call, "autoescape"), True):
            yield call


def trusts_any_server(tree: ast.Module, names: Mapping[str, str]) -> Iterator[ast.AST]:
    yield from (node for node in of_kind(tree, ast.Attribute) if whole_name(node, names) in UNCHECKED_TLS)
    yield from (call for call in of_kind(tree, ast.Call) if is_constant(option(call, "verify"), False))
    for node in of_kind(tree, ast.Assign):
        switches = {each.attr for each in node.targets if isinstance(each, ast.Attribute)}
        if switches & {"check_hostname", "verify"} and is_constant(node.value, False):
            yield node


def names_a_file_before_it_is_there(tree: ast.Module, names: Mapping[str, str]) -> Iterator[ast.AST]:
    return calls(tree, names, {"tempfile.mktemp", "os.tempnam", "os.tmpnam"})


def hashes_weakly(tree: ast.Module, names: Mapping[str, str]) -> Iterator[ast.AST]:
    """MD5 and SHA-1, unless the call says that no security rests on it, or they are only named in a table."""
    for call in calls(tree, names, WEAK | {"hashlib.new", "hmac.new", "hmac.digest"}):
        said = [each.value for each in call.args if isinstance(each, ast.Constant)]
        used = [whole_name(each, names) for each in [*call.args, *(word.value for word in call.keywords)]]
        is_weak = whole_name(call.func, names) in WEAK or {"md5", "sha1"} & {str(each).lower() for each in said}
        if (is_weak or WEAK & set(used)) and not is_constant(option(call, "usedforsecurity"), False):
            yield call


def draws_what_can_be_guessed(tree: ast.Module, names: Mapping[str, str]) -> Iterator[ast.AST]:
    """Any use of ``random`` but with a seed; secrets come from ``secrets``. ``uuid1`` tells machine and time."""
    for node in ast.walk(tree):
        name = whole_name(node, names) if isinstance(node, ast.Attribute | ast.Name) else ""
        if name.startswith(DRAWS) and name not in NO_DRAW:
            yield node
    yield from (call for call in calls(tree, names, SEEDED) if not call.args)


def decides_by_assert(tree: ast.Module, names: Mapping[str, str]) -> Iterator[ast.AST]:
    """An ``assert`` that does more than tell the type checker what is known: python -O leaves it out."""
    return (node for node in of_kind(tree, ast.Assert) if not tells_a_type(node.test))


def tells_a_type(test: ast.expr) -> bool:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return all(map(tells_a_type, test.values))
    if isinstance(test, ast.Compare):
        return isinstance(test.ops[0], ast.IsNot) and is_constant(test.comparators[0], None)
    return isinstance(test, ast.Call) and whole_name(test.func, {}) == "isinstance"


def reads_with_pandas(tree: ast.Module, names: Mapping[str, str]) -> Iterator[ast.AST]:
    """Pandas alters what it reads: it guesses types, drops leading zeros, takes words for missing."""
    for node in of_kind(tree, ast.Attribute):
        if re.fullmatch(r"(pandas|pd)\.(\w+\.)*(read_\w+|ExcelFile|HDFStore)", whole_name(node, names)):
            yield node
    for node in of_kind(tree, ast.ImportFrom):
        if node.module and node.module.partition(".")[0] == "pandas":
            yield from (each for each in node.names if each.name.startswith("read_") or each.name == "ExcelFile")


def parses_xml_with_declarations(tree: ast.Module, names: Mapping[str, str]) -> Iterator[ast.AST]:
    return imports_of(tree, XML)


def builds_sql_of_values(tree: ast.Module, names: Mapping[str, str]) -> Iterator[ast.AST]:
    return loose_statements(tree)


RULES: Mapping[str, Rule] = {
    rule.__name__: rule
    for rule in (
        runs_text,
        unpacks_objects,
        loads_yaml_with_tags,
        starts_a_shell,
        runs_a_template,
        writes_markup_unescaped,
        trusts_any_server,
        names_a_file_before_it_is_there,
        hashes_weakly,
        draws_what_can_be_guessed,
        decides_by_assert,
        reads_with_pandas,
        parses_xml_with_declarations,
        builds_sql_of_values,
    )
}


def broken(source: str, rules: Iterable[str] = tuple(RULES)) -> list[tuple[str, int]]:
    """Every rule that a source breaks, with the line."""
    tree = ast.parse(source)
    names = imported(tree)
    found = {(name, getattr(node, "lineno", 0)) for name in rules for node in RULES[name](tree, names)}
    return sorted(found, key=lambda each: (each[1], each[0]))
