"""The second scan stands on nothing that wrote or erased what it reads."""

import json
import subprocess
import sys

PRODUCT = {"sluice", "sluice.errors", "sluice.terms"}
READERS = {"polars", "pyarrow", "pandas", "duckdb", "openpyxl", "boto3", "psycopg", "pypdf", "zipfile"}
LOADED = "import json, sys; import sluice.scan.walk; print(json.dumps(sorted(sys.modules)))"


def test_the_scanner_loads_nothing_of_the_product_and_none_of_its_readers() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))

    product = {name for name in loaded if name.split(".")[0] == "sluice" and not name.startswith("sluice.scan")}
    assert product <= PRODUCT
    assert loaded & READERS == set()
