"""A campaign in every format that a principal may send, made of its CSV."""

import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from support.night import Edit

CAMPAIGN = "renewal_campaign.inbound.odcs.yaml"
ANY_NAME = Edit(CAMPAIGN, "renewal_campaign/*.csv", "renewal_campaign/*")


@dataclass(frozen=True)
class Form:
    """How a campaign is sent: the end of its name, how it is made of CSV, what the contract says."""

    ending: str
    pack: Callable[[bytes], bytes]
    edits: tuple[Edit, ...] = ()


def rows_of(content: bytes) -> pl.DataFrame:
    """Every cell of a campaign as text."""
    return pl.read_csv(content, separator=";", infer_schema=False)


def zipped(content: bytes) -> bytes:
    """Pack content into a ZIP file of one member."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("campaign.csv", content)
    return out.getvalue()


def _frame_form(ending: str, write: str) -> Form:
    def written(content: bytes) -> bytes:
        out = io.BytesIO()
        getattr(rows_of(content), write)(out)
        return out.getvalue()

    return Form(ending, written, (ANY_NAME, Edit(CAMPAIGN, "format: csv", f"format: {ending}")))


FORMS = {
    "csv": Form("csv", bytes),
    "gzip": Form("csv.gz", gzip.compress, (ANY_NAME,)),
    "zip": Form("zip", zipped, (ANY_NAME,)),
    "parquet": _frame_form("parquet", "write_parquet"),
    "xlsx": _frame_form("xlsx", "write_excel"),
    "json": _frame_form("json", "write_json"),
    "ndjson": _frame_form("ndjson", "write_ndjson"),
}
