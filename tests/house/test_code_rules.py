"""S-15: what must not be in the product's source is not there, and every rule finds its samples."""

import ast
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from house.code_rules import RULES, broken
from house.fixed_sql import TAKES_SQL

HOUSE = Path(__file__).resolve().parents[2]
ROOMS = ("include/sluice", "dags", "plugins", "config")
EXPLAINED = {
    ("builds_sql_of_values", "include/sluice/exchange/persons/suppressed_store.py"): (
        "values choose which of three conditions hold; the conditions are written there"
    ),
    ("decides_by_assert", "include/sluice/rights/notices/states.py"): (
        "whoever moves a notice has asked before whether it may; a move that is none is a fault of ours"
    ),
    ("decides_by_assert", "include/sluice/web/pages/registers.py"): "what is always there, told to the reader",
}
"""Rule and file -> why what the rule finds there may stay."""

FOUND: dict[str, tuple[str, ...]] = {
    "runs_text": ("eval(text)", "exec(text)", "import builtins\nbuiltins.eval(x)", "__import__(name)"),
    "unpacks_objects": (
        "import pickle",
        "from marshal import loads",
        "import joblib.numpy_pickle",
        "import shelve as s",
    ),
    "loads_yaml_with_tags": (
        "import yaml\nyaml.load(text)",
        "import yaml\nyaml.load(text, Loader=yaml.Loader)",
        "import yaml as y\ny.unsafe_load(text)",
        "from yaml import load, FullLoader\nload(text, FullLoader)",
        "from yaml import compose\ncompose(text)",
    ),
    "starts_a_shell": (
        "import subprocess\nsubprocess.run(line, shell=True)",
        "run(line, shell=wanted)",
        "import os\nos.system(line)",
        "from os import popen\npopen(line)",
    ),
    "runs_a_template": (
        "from airflow.providers.standard.operators.bash import BashOperator",
        "@task.bash\ndef f(): return 'ls'",
    ),
    "writes_markup_unescaped": (
        "from jinja2 import Environment\nEnvironment()",
        "import jinja2\njinja2.Environment(autoescape=False)",
        "from jinja2 import Template as T\nT(text)",
    ),
    "trusts_any_server": (
        "import requests\nrequests.get(url, verify=False)",
        "import ssl\ncontext = ssl._create_unverified_context()",
        "context.check_hostname = False",
        "from ssl import CERT_NONE\nimport ssl\nx.verify_mode = ssl.CERT_NONE",
    ),
    "names_a_file_before_it_is_there": ("import tempfile\ntempfile.mktemp()", "from tempfile import mktemp\nmktemp()"),
    "hashes_weakly": (
        "import hashlib\nhashlib.md5(x)",
        "from hashlib import sha1 as h\nh(x)",
        "import hashlib\nhashlib.new('MD5')",
        "import hmac, hashlib\nhmac.new(key, x, hashlib.sha1)",
        "import hmac\nhmac.new(key, x, digestmod='md5').hexdigest() or hmac.new(key, x, 'md5')",
        "import hashlib\nhashlib.sha1(x, usedforsecurity=True)",
    ),
    "draws_what_can_be_guessed": (
        "import random\nrandom.choice(letters)",
        "from random import randbytes\nrandbytes(16)",
        "import random\nrandom.Random()",
        "import numpy as np\nnp.random.randint(9)",
        "from uuid import uuid1\nuuid1()",
        "import numpy as np\nnp.random.default_rng()",
    ),
    "decides_by_assert": ("assert amount > 0", "assert a is not None and b", "assert is_allowed(user)"),
    "reads_with_pandas": (
        "import pandas as pd\npd.read_csv(path)",
        "import pandas\npandas.ExcelFile(path)",
        "from pandas import read_excel",
        "from pandas.io.parsers import read_csv",
    ),
    "parses_xml_with_declarations": (
        "import xml.etree.ElementTree as ET",
        "from xml.dom import minidom",
        "from xml import sax",
        "from lxml import etree",
    ),
    "builds_sql_of_values": (
        "conn.execute(f'select * from t where name = {name!r}')",
        "conn.execute('select * from t where name = ' + name)",
        "conn.execute('select * from t where name = %s' % name)",
        "conn.execute('select * from t where name = {}'.format(name))",
        "conn.execute(f'{head} where name = {name}'.encode())",
        "def f(conn, column):\n    conn.execute(f'select {column} from t')",
        "def f(conn, name):\n    where = f'name = {name}'\n    conn.execute(f'select 1 from t where {where}')",
        "def f(conn, names):\n    marks = ', '.join(names)\n    return f'insert into t values ({marks})'",
        "QUERY = f'update t set a = {value}'",
        "get_by_beginning(conn, 'case', named, f'select id from {table}')",
        "Look(query_of(kind))",
        "def _found(conn, where): ...\n_found(conn, f'a = {b}')",
        "with cursor.copy(f'copy t ({columns}) from stdin') as copy: ...",
    ),
}
"""Sources in which the rule of this name finds something."""
HARMLESS: dict[str, tuple[str, ...]] = {
    "runs_text": ("import re\nre.compile('x')", "frame.eval(x)", "'eval(x)'"),
    "unpacks_objects": ("import picklebot", "text = 'import pickle'"),
    "loads_yaml_with_tags": (
        "import yaml\nyaml.safe_load(text)",
        "import yaml\nyaml.compose(text, Loader=yaml.CSafeLoader)",
        "import json\njson.load(file)",
    ),
    "starts_a_shell": ("import subprocess\nsubprocess.run([name], shell=False)",),
    "runs_a_template": ("from airflow.sdk import BaseOperator",),
    "writes_markup_unescaped": ("from jinja2 import Environment\nEnvironment(autoescape=True)",),
    "trusts_any_server": ("requests.get(url)", "verify(conn, public_pem=pem)", "get(url, verify=True)"),
    "names_a_file_before_it_is_there": ("import tempfile\ntempfile.mkstemp()",),
    "hashes_weakly": (
        "import hashlib\nhashlib.sha256(x)",
        "import hashlib\nhashlib.md5(b'', usedforsecurity=False)",
        "import hmac\nhmac.new(key, x, 'sha256')",
        "import hashlib\nHASHES = {'md5': hashlib.md5}",
    ),
    "draws_what_can_be_guessed": (
        "import secrets\nsecrets.token_urlsafe()",
        "import random\nrandom.Random(seed).shuffle(rows)",
        "from uuid import uuid4\nuuid4()",
    ),
    "decides_by_assert": ("assert a is not None", "assert a is not None and isinstance(b, str)"),
    "reads_with_pandas": ("import polars as pl\npl.read_csv(path)", "import pandas\npandas.DataFrame()"),
    "parses_xml_with_declarations": ("from xml.parsers import expat",),
    "builds_sql_of_values": (
        "conn.execute('select * from t where name = %s', (name,))",
        "conn.execute(f'select {COLUMNS} from t where name = %s', (name,))",
        "def f(conn):\n    marks = ', '.join(f'%({n})s' for n in _ALL)\n    return f'insert into t values ({marks})'",
        "def f(conn, all):\n    end = '' if all else 'limit 1'\n    conn.execute(f'select 1 from t {end}'.encode())",
        "message = f'with {count} more'",
        "get_by_beginning(conn, 'case', named, 'select case_id as id from subject_case')",
        "def _found(house, exchange): ...\n_found(house, exchange)",
    ),
}
"""Sources in which it finds nothing."""


@cache
def found() -> dict[tuple[str, str], list[int]]:
    """Every finding in the product: rule and file -> lines."""
    findings: dict[tuple[str, str], list[int]] = {}
    for path in sources():
        for rule, line in broken(path.read_text(encoding="utf-8")):
            findings.setdefault((rule, path.relative_to(HOUSE).as_posix()), []).append(line)
    return findings


@cache
def sources() -> tuple[Path, ...]:
    return tuple(path for room in ROOMS for path in sorted((HOUSE / room).rglob("*.py")))


@pytest.mark.slow
@pytest.mark.evidence
def test_nothing_of_the_kind_is_in_the_product(record_property: Callable[[str, object], None]) -> None:
    unexplained = {f"{rule} {file}": lines for (rule, file), lines in found().items() if (rule, file) not in EXPLAINED}

    assert unexplained == {}
    assert {place: len(lines) for place, lines in found().items()} == dict.fromkeys(EXPLAINED, 1), "no reason too many"
    assert len(sources()) > 500
    samples = sum(map(len, FOUND.values()))
    record_property(
        "rules of the source (S-15)",
        f"{len(RULES)} rules, {len(sources())} files, 0 findings, {len(EXPLAINED)} explained; {samples} samples found",
    )


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_finds_its_samples_and_nothing_in_what_is_harmless(rule: str) -> None:
    """The control."""
    assert [source for source in FOUND[rule] if [name for name, _ in broken(source, [rule])][:1] != [rule]] == []
    assert [source for source in HARMLESS[rule] if broken(source, [rule])] == []


def test_there_are_samples_of_rules_only() -> None:
    assert set(FOUND) == set(HARMLESS) == set(RULES)


@pytest.mark.slow
def test_what_counts_as_a_function_that_takes_sql_is_there() -> None:
    """Else a name on that list would be a hole."""
    known: dict[str, set[str]] = {}
    for path in sources():
        text = path.read_text(encoding="utf-8")
        if any(f"def {name}(" in text or f"class {name}:" in text for name in TAKES_SQL):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef):
                    known.setdefault(node.name, set()).update(each.arg for each in node.args.args)
                elif isinstance(node, ast.ClassDef):
                    fields = {ast.unparse(each.target) for each in node.body if isinstance(each, ast.AnnAssign)}
                    known.setdefault(node.name, set()).update(fields)
    assert {name: set(given) for name, given in TAKES_SQL.items() if not set(given) <= known.get(name, set())} == {}
