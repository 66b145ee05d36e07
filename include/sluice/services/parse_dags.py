"""Parse a folder of DAG files as Airflow does, and print the result as one line of JSON.

python -m sluice.services.parse_dags FOLDER
"""

import json
import sys
import time
from pathlib import Path


def main(folder: Path) -> None:
    from airflow.dag_processing.dagbag import DagBag

    started = time.monotonic()
    bag = DagBag(str(folder))
    broken = sorted(Path(name).name for name in bag.import_errors)
    print(json.dumps({"dags": len(bag.dags), "broken": broken, "seconds": time.monotonic() - started}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
