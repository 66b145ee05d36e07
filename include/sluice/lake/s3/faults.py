"""Classify errors of the object store: transient ones to retry, or coded ones to raise."""

from http.client import HTTPException, LineTooLong
from typing import TYPE_CHECKING

from sluice.errors import NotFound, ObjectUnreadable, Ref, ServiceMissing, StoreConflict, StoreError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

PASSING_CODES = frozenset(
    {"429", "500", "502", "503", "504", "InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown"}
    | {"RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequests", "TooManyRequestsException"}
)
"""Statuses and error codes of a store that is busy or broken for the moment, or of a gateway before it."""
UNDER_A_KEY, PUT_AWAY = frozenset({"InvalidRequest", "InvalidArgument"}), "InvalidObjectState"
"""Error codes for an object whose sender kept the encryption key (its message tells it from other errors with the same
code), and for one in a cold storage class."""
SluiceFailure = StoreError | ServiceMissing | NotFound


def is_passing(error: BaseException) -> bool:
    """Whether the error is transient, so that the same request may succeed in a moment."""
    from botocore.exceptions import (
        ClientError,
        ConnectTimeoutError,
        EndpointConnectionError,
        HTTPClientError,
        IncompleteReadError,
    )

    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
        return code in PASSING_CODES or status in PASSING_CODES
    is_of_network = ConnectTimeoutError | EndpointConnectionError | HTTPClientError | IncompleteReadError
    return isinstance(error, is_of_network) and not has_unfit_headers(error)


def has_unfit_headers(error: BaseException | None) -> bool:
    """Whether an answer came whose headers Python does not take: over 100, or one over 64 KiB.

    An object's sender can make it so, by its metadata, which every answer about the object repeats. The library reports
    it as a lost connection, and keeps what was really wrong in the error of urllib3 beside it.
    """
    beside = getattr(error, "kwargs", {}).get("error")
    return any(type(each) in (HTTPException, LineTooLong) for each in getattr(beside, "args", ()))


def coded(operation: str, bucket: str, error: "ClientError") -> SluiceFailure:
    """The SluiceError for a refusal of the store."""
    code = str(error.response.get("Error", {}).get("Code", "unknown"))
    refs = (Ref("operation", operation), Ref("bucket", bucket), Ref("s3 code", code))
    if code in {"412", "PreconditionFailed", "ConditionalRequestConflict"}:
        return StoreConflict(*refs)
    if code in {"404", "NoSuchKey", "NoSuchVersion", "NoSuchUpload", "NoSuchBucket"}:
        return NotFound(*refs)
    is_under_a_key = code in UNDER_A_KEY and "server side encryption" in str(error).lower()
    if operation == "get" and (is_under_a_key or code == PUT_AWAY):
        return ObjectUnreadable(*refs)
    return StoreError(*refs)
