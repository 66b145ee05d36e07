"""Which answers of a store are of one object that its sender keeps from us, and which are of the store."""

import pytest
from botocore.exceptions import ClientError

from sluice.errors import NotFound, ObjectUnreadable, StoreConflict, StoreError
from sluice.lake.s3.faults import coded

AWS = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided"
WEED = "Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5"


@pytest.mark.parametrize(
    ("operation", "code", "message", "kind"),
    [
        ("get", "InvalidRequest", AWS, ObjectUnreadable),
        ("get", "InvalidArgument", WEED, ObjectUnreadable),
        ("get", "InvalidObjectState", "The operation is not valid for the object's storage class", ObjectUnreadable),
        ("get", "InvalidRequest", "Please use AWS4-HMAC-SHA256.", StoreError),
        ("get", "InvalidArgument", "Invalid version id specified", StoreError),
        ("get", "AccessDenied", "User is not authorized to perform: kms:Decrypt", StoreError),
        ("put", "InvalidRequest", AWS, StoreError),
        ("delete", "InvalidObjectState", "", StoreError),
        ("get", "NoSuchVersion", "", NotFound),
        ("put", "PreconditionFailed", "", StoreConflict),
    ],
)
def test_a_refusal_is_of_the_object_only_where_the_store_says_so(
    operation: str, code: str, message: str, kind: type[Exception]
) -> None:
    error = ClientError({"Error": {"Code": code, "Message": message}}, "GetObject")

    assert type(coded(operation, "exchange", error)) is kind
