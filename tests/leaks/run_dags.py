"""Runs DAGs of a folder through the real executor of this machine, against the Airflow that the environment names.

python -m leaks.run_dags FOLDER CONF DAG...
"""

import json
import sys


def main() -> None:
    from airflow.dag_processing.dagbag import DagBag

    folder, conf, *names = sys.argv[1:]
    bag = DagBag(folder)
    if bag.import_errors:
        sys.exit(str(bag.import_errors))
    for name in names:
        run = bag.dags[name].test(use_executor=True, run_conf=json.loads(conf))
        print(name, run.state)


if __name__ == "__main__":
    main()
