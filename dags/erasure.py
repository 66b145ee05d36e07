"""Erase what was decided and released: an Airflow DAG that maps its work over copies, of all cases together.

Every five minutes: plans what was decided; for each released case looks what would fail, keeps the person out
and names the copies; batches of copies are edited side by side; then each case is looked through again until
nothing is found, every byte is scanned by another reader, and the certificate is signed. A run takes up 512
cases at most, first what never ran, then what ran longest ago; the next one goes on as soon as it ends.

Safe to run again: whatever was killed is found again and finished. A case that leaves a residue, or meets an
open file that names the person or that nobody can read yet, fails its task and is tried again; nothing is
certified meanwhile, and no other case begins while one is in error (`sluice erase status`).
"""

from airflow.sdk import TriggerRule, task_group

from sluice.orchestration.airflow_dag import PERSONS, sluice_dag
from sluice.orchestration.erasure import (
    BeginErasure,
    CutBatches,
    EraseBatch,
    FindReleased,
    FinishErasure,
    ListBegun,
    ProveErasure,
    TellErasures,
)
from sluice.orchestration.schedules import every_five_minutes, slots

ONE_BEGAN = TriggerRule.ALL_DONE_MIN_ONE_SUCCESS
WHATEVER_CAME = TriggerRule.NONE_SKIPPED

with sluice_dag("erasure", every_five_minutes(3), __doc__, "persons", owner=PERSONS, retry_seconds=20):

    @task_group(group_id="end")
    def end(case_id: str) -> None:
        """One case, after its batches, however they ended."""
        finished = FinishErasure(task_id="finish", case_id=case_id, trigger_rule=WHATEVER_CAME)
        finished >> ProveErasure(task_id="prove", case_id=case_id)

    released = FindReleased(task_id="released")
    begin = BeginErasure.partial(task_id="begin").expand(case_id=released.output)
    batches = CutBatches(task_id="batches", begun=begin.output, trigger_rule=ONE_BEGAN)
    begun = ListBegun(task_id="begun", begun=begin.output, trigger_rule=ONE_BEGAN)
    erase = EraseBatch.partial(task_id="erase", max_active_tis_per_dagrun=len(slots())).expand(batch=batches.output)
    ended = end.expand(case_id=begun.output)
    erase >> ended
    told = TellErasures(task_id="told", trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
    [begin, begun, erase, ended] >> told
