"""The control of S-01: a DAG that leaks through eighteen channels. It is in no folder that an installation reads."""

from typing import Any

from airflow.sdk import DAG, BaseOperator, Context

from leaks.twin import CHANNELS, Place, conflict


class LeakByHand(BaseOperator):
    """Leaks by every channel that needs nothing of Airflow, and hands the last on as its XCom."""

    def execute(self, context: Context) -> str:
        place = Place.here()
        for name, leak in CHANNELS.items():
            leak(place, place.texts[name])
        return place.texts["xcom"]


class LeakByFailure(BaseOperator):
    """Shows its rendered field, and dies of a conflict that quotes the row."""

    template_fields = ("text",)

    def __init__(self, *, text: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.text = text

    def execute(self, context: Context) -> None:
        place = Place.here()
        conflict(place, place.texts["exception"])


with DAG("leaky_twin", schedule=None, is_paused_upon_creation=True):
    LeakByHand(task_id="leak") >> LeakByFailure(task_id="fail", text="{{ dag_run.conf['shown'] }}")
