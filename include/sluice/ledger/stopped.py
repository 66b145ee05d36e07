"""Bodies of ``flow.stopped`` and ``flow.resumed``: principal, flow, reason code, by whom and when. No data subject."""

from sluice.ledger.record import Part


class FlowStopped(Part):
    """Nothing of a flow is taken up or goes out. ``stopped_at``: UTC, ISO 8601 with ``Z``."""

    principal: str
    flow: str
    reason: str
    stopped_by: str
    stopped_at: str


class FlowResumed(Part):
    """It goes on."""

    principal: str
    flow: str
    resumed_by: str
    resumed_at: str
