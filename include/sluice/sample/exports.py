"""Write the calls of a day as six contact-center platforms export them: columns, times, durations, formats."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import polars as pl

from sluice.times import ZONE


class Platform(StrEnum):
    """A platform whose export can be written; the value is the name of its mapping."""

    GENESYS_CLOUD = "genesys_cloud"
    FIVE9 = "five9"
    NICE_CXONE = "nice_cxone"
    AMAZON_CONNECT = "amazon_connect"
    SALESFORCE_TASK = "salesforce_task"
    VICIDIAL = "vicidial"

    @property
    def extension(self) -> str:
        return {Platform.AMAZON_CONNECT: "ndjson", Platform.VICIDIAL: "txt"}.get(self, "csv")


def write_export(path: Path, platform: Platform, events: pl.DataFrame) -> None:
    """Write events of :mod:`sluice.sample.results` in the export format of a platform."""
    cells = _WRITERS[platform](events)
    if platform is Platform.AMAZON_CONNECT:
        cells.write_ndjson(path)
    elif platform is Platform.VICIDIAL:
        cells.write_csv(path, separator="\t")
    else:
        cells.write_csv(path, quote_style="always" if platform is Platform.SALESFORCE_TASK else "necessary")


def _local(column: str, form: str) -> pl.Expr:
    return pl.col(column).dt.strftime(form)


def _utc(column: str, form: str) -> pl.Expr:
    return pl.col(column).dt.replace_time_zone(ZONE).dt.convert_time_zone("UTC").dt.strftime(form)


def _clock(column: str) -> pl.Expr:
    seconds = pl.col(column)
    parts = (seconds // 3600, seconds // 60 % 60, seconds % 60)
    return pl.concat_str([part.cast(pl.String).str.zfill(2) for part in parts], separator=":")


def _text(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String)


def _genesys(events: pl.DataFrame) -> pl.DataFrame:
    """Each call went to one of two phone columns; the other was tried the day before, or never."""
    to_mobile = pl.col("back") % 3 > 0
    earlier = pl.when(pl.col("back") % 2 == 0).then(pl.col("started") - pl.duration(days=1))
    families: dict[str, pl.Expr] = {}
    for phone, chosen in (("Home", ~to_mobile), ("Mobile", to_mobile)):
        when = pl.when(chosen).then(pl.col("started")).otherwise(earlier)
        stamp = when.dt.replace_time_zone(ZONE).dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
        result = (
            pl.when(pl.col("agent").is_null()).then(pl.lit("ININ-OUTBOUND-NO-ANSWER")).otherwise(pl.lit("ININ-WRAP-UP"))
        )
        missed = pl.when(when.is_not_null()).then(pl.lit("ININ-OUTBOUND-BUSY"))
        families |= {
            f"CallRecordLastAttempt-{phone}": stamp,
            f"CallRecordLastResult-{phone}": pl.when(chosen).then(result).otherwise(missed),
            f"CallRecordLastAgentWrapup-{phone}": pl.when(chosen).then(pl.col("disposition")),
            f"Callable-{phone}": pl.lit("1"),
        }
    numbers = {"Home": pl.when(~to_mobile).then(pl.col("phone")), "Mobile": pl.when(to_mobile).then(pl.col("phone"))}
    return events.select(pl.col("contact_id").alias("inin-outbound-id"), "record_id", "name", **numbers).hstack(
        events.select(
            "campaign",
            "agent",
            "note",
            _utc("callback", "%Y-%m-%dT%H:%M:%S%.3fZ").alias("callback_at"),
            _text("talk").alias("talk_seconds"),
            _text("wrap").alias("wrap_seconds"),
            "order_number",
            pl.lit("1").alias("ContactableByVoice"),
            **families,
        )
    )


def _five9(events: pl.DataFrame) -> pl.DataFrame:
    columns = {
        "CALL ID": pl.col("contact_id"),
        "TIMESTAMP": _local("started", "%a, %d %b %Y %H:%M:%S"),
        "CAMPAIGN": pl.col("campaign"),
        "CALL TYPE": pl.lit("Outbound"),
        "AGENT": pl.col("agent").fill_null("[None]"),
        "DISPOSITION": pl.col("disposition"),
        "ANI": pl.lit("+3225550100"),
        "CUSTOMER NAME": pl.col("name"),
        "DNIS": pl.col("phone"),
        "CALL TIME": _clock("talk"),
        "TALK TIME": _clock("talk"),
        "AFTER CALL WORK TIME": _clock("wrap"),
        "RECORDINGS": "recordings/" + pl.col("recording") + ".wav",
        "record_id": pl.col("record_id"),
        "note": pl.col("note"),
        "callback_at": _local("callback", "%Y-%m-%d %H:%M"),
        "order_number": pl.col("order_number"),
    }
    return events.select(**columns)


def _nice(events: pl.DataFrame) -> pl.DataFrame:
    own = [pl.col(name).fill_null("") for name in ("record_id", "campaign", "order_number")]
    columns = {
        "Contact_ID": pl.col("contact_id"),
        "ExternalID": pl.col("number"),
        "ProspectiveContactCustomInfo": pl.concat_str(own, separator=","),
        "PhoneNumber": pl.col("phone"),
        "DateOfCall": _utc("started", "%m/%d/%Y %H:%M"),
        "CallDuration": _text("talk"),
        "ACW_Seconds": _text("wrap"),
        "AgentDisposition": pl.col("disposition").rank("dense").cast(pl.String),
        "AgentDispositionDescription": pl.col("disposition"),
        "Agent_No": pl.col("agent").fill_null("[None]"),
        "DispositionComments": pl.col("note"),
        "CallbackTime": _utc("callback", "%m/%d/%Y %H:%M"),
    }
    return events.select(**columns)


def _connect(events: pl.DataFrame) -> pl.DataFrame:
    back = _utc("callback", "%Y-%m-%dT%H:%M:%S+0000")
    attributes = pl.struct("record_id", "campaign", "disposition", "note", "order_number", back.alias("callback_at"))
    agent = pl.struct(
        pl.col("agent").alias("Username"),
        pl.col("talk").alias("AgentInteractionDuration"),
        pl.col("wrap").alias("AfterContactWorkDuration"),
    )
    columns = {
        "ContactId": pl.col("contact_id"),
        "Channel": pl.lit("VOICE"),
        "InitiationTimestamp": _utc("started", "%Y-%m-%dT%H:%M:%SZ"),
        "LastUpdateTimestamp": _utc("updated", "%Y-%m-%dT%H:%M:%SZ"),
        "CustomerEndpoint": pl.struct(pl.col("phone").alias("Address"), pl.lit("TELEPHONE_NUMBER").alias("Type")),
        "Queue": pl.struct(pl.lit("Outbound").alias("Name")),
        "Agent": pl.when(pl.col("agent").is_not_null()).then(agent),
        "Attributes": attributes,
        "Recording": pl.struct(("recordings/" + pl.col("recording") + ".wav").alias("Location")),
    }
    return events.select(**columns)


def _salesforce(events: pl.DataFrame) -> pl.DataFrame:
    form = "%Y-%m-%dT%H:%M:%S.000+0000"
    columns = {
        "Id": pl.col("contact_id"),
        "OwnerId": pl.col("agent"),
        "CallType": pl.lit("Outbound"),
        "CallObject": pl.col("recording"),
        "CallDisposition": pl.col("disposition"),
        "CallDurationInSeconds": _text("talk"),
        "Description": pl.col("note"),
        "CreatedDate": _utc("started", form),
        "LastModifiedDate": _utc("updated", form),
        "Record_Id__c": pl.col("record_id"),
        "Phone__c": pl.col("phone"),
        "Campaign__c": pl.col("campaign"),
        "Callback_At__c": _utc("callback", form),
        "Order_Number__c": pl.col("order_number"),
    }
    return events.select(**columns)


def _vicidial(events: pl.DataFrame) -> pl.DataFrame:
    columns = {
        "call_date": _local("started", "%Y-%m-%d %H:%M:%S"),
        "phone_number_dialed": pl.col("phone"),
        "status": pl.col("disposition").str.to_uppercase().str.slice(0, 6).str.replace_all(" ", ""),
        "user": pl.col("agent").fill_null("VDAD"),
        "campaign_id": pl.col("campaign"),
        "vendor_lead_code": pl.col("record_id"),
        "comments": pl.col("note"),
        "length_in_sec": _text("talk"),
        "uniqueid": pl.col("contact_id"),
        "status_name": pl.col("disposition"),
        "modify_date": _local("updated", "%Y-%m-%d %H:%M:%S"),
        "dispo_time": (pl.col("wrap") // 60).cast(pl.String).str.zfill(2)
        + ":"
        + (pl.col("wrap") % 60).cast(pl.String).str.zfill(2),
        "callback_date": _local("callback", "%d/%m/%Y"),
        "callback_time": _local("callback", "%H:%M"),
        "recording_id": pl.col("recording"),
        "order_number": pl.col("order_number"),
    }
    return events.select(**columns)


_WRITERS: dict[Platform, Callable[[pl.DataFrame], pl.DataFrame]] = {
    Platform.GENESYS_CLOUD: _genesys,
    Platform.FIVE9: _five9,
    Platform.NICE_CXONE: _nice,
    Platform.AMAZON_CONNECT: _connect,
    Platform.SALESFORCE_TASK: _salesforce,
    Platform.VICIDIAL: _vicidial,
}
