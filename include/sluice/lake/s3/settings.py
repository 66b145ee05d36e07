"""Name the S3 setting with which boto3 can make no client."""

from collections.abc import Iterator
from contextlib import contextmanager

from sluice.errors import Ref, SettingInvalid
from sluice.settings import Settings


@contextmanager
def naming_setting(settings: Settings) -> Iterator[None]:
    """Turn an error of making a client into SettingInvalid with the setting's name.

    The message of boto3 is dropped, because it quotes the address."""
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
