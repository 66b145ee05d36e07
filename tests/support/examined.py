"""One check of the doctor, by its name."""

from sluice.services.doctor import LOOKS, Check, check
from sluice.settings import Settings


def examine_one(name: str, settings: Settings) -> Check:
    """Run only this check. Raises ValueError for a name that none has."""
    [look] = (look for look in LOOKS if look.name == name)
    return check(look, settings)
