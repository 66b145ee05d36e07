"""What 200 agreements cost when Airflow parses the DAG folder: over a DagBag with none."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import BenchRow

AGREEMENTS = 200
ROUNDS = 3
MODEL = "energy01"
PARSE = """
import sys, time
import airflow.sdk
from airflow.dag_processing.dagbag import DagBag
started = time.perf_counter()
bag = DagBag(sys.argv[1], safe_mode=False)
assert not bag.import_errors, bag.import_errors
print(time.perf_counter() - started, len(bag.dags), "great_expectations" in sys.modules)
"""


def rows(size: int) -> Iterator[BenchRow]:
    """Seconds of parsing, in processes of their own, in turns; the same 200 whatever ``size``."""
    checkout = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        empty, full = Path(name) / "empty", Path(name) / "full"
        empty.mkdir()
        write_principals(checkout / "include" / "principals" / MODEL, full)
        runs = [(parse(checkout, empty), parse(checkout, full)) for _ in range(ROUNDS)]
    assert all(there[1] - none[1] >= AGREEMENTS for none, there in runs), "every agreement gives a DAG"
    without, with_all = (sorted(one[0] for one in side)[ROUNDS // 2] for side in zip(*runs, strict=True))
    against = f"an empty DagBag {without:.2f} s, with all {with_all:.2f} s"
    yield BenchRow("parse", f"{AGREEMENTS} agreements", with_all - without, "s", against, goal=2.0, at_least=False)


def write_principals(model: Path, target: Path) -> None:
    """Copies of one principal's papers, each with a name and an agreement of its own."""
    for number in range(AGREEMENTS):
        name = f"principal{number:03d}"
        shutil.copytree(model, target / name)
        for path in (target / name).glob("*.yaml"):
            text = path.read_text().replace(model.name, name).replace(model.name.upper(), name.upper())
            path.write_text(text)


def parse(checkout: Path, principals: Path) -> tuple[float, int]:
    """Seconds to fill a DagBag from ``dags/``, and how many DAGs are in it; none of them loads Great Expectations."""
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(checkout),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "SLUICE_HOME": str(checkout),
        "SLUICE_PRINCIPALS_DIR": str(principals),
    }
    done = subprocess.run(
        [sys.executable, "-c", PARSE, str(checkout / "dags")],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, dags, has_gx = done.stdout.split()[-3:]
    assert has_gx == "False", done.stdout
    return float(seconds), int(dags)
