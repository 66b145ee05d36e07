"""Contacts for agents: an Airflow DAG that a person, or another DAG, triggers for one purpose and one channel.

The list lies under `<principal>/dial/<flow>/` of the internal bucket for a few days, with its receipt. Who is
not in it, and why, is counted in its exchange: `sluice exchange show`.
"""

from airflow.sdk import Param

from sluice.orchestration.airflow_dag import sluice_dag
from sluice.orchestration.dial import MakeDialList

ASKED = {
    "principal": Param(type="string", description="Whose contacts."),
    "flow": Param(type="string", description="Which of its inbound flows."),
    "purpose": Param(type="string", description="Code of the agreement."),
    "channel": Param("phone", enum=["phone", "sms", "email"], description="How agents will contact."),
    "form": Param("csv", enum=["csv", "xlsx", "parquet"], description="Format of the file."),
}

with sluice_dag("dial_list", None, __doc__, "dial", params=ASKED, retries=1):
    MakeDialList(task_id="make", **{name: f"{{{{ params.{name} }}}}" for name in ASKED})
