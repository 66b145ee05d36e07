"""Settings of S3 that boto3 makes no client of."""

from collections.abc import Iterator
from contextlib import contextmanager

from sluice.errors import Ref, SettingInvalid
from sluice.settings import Settings


@contextmanager
def naming_setting(settings: Settings) -> Iterator[None]:
    """While a client is made: what stops it becomes SettingInvalid with a name; boto3 quotes the address."""
    from botocore.exceptions import InvalidRegionError, ProfileNotFound

    try:
        yield
        return
    except InvalidRegionError:
        named = "SLUICE_S3_REGION"
    except ProfileNotFound:
        named = "AWS_PROFILE"
    except ValueError:
        named = "AWS_ENDPOINT_URL" if settings.s3_endpoint in (None, "aws") else "SLUICE_S3_ENDPOINT"
    raise SettingInvalid(Ref("setting", named))
