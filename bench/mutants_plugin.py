"""pytest, for mutants: nothing known from before a mutant, no time spent on making a found fault smaller.

What a function keeps (``functools.cache``) was computed before the mutant came to life, and would hide it.
"""

import sys

import pytest
from hypothesis import Phase, settings


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """After the house's own profile: the same examples for every mutant."""
    quick = settings(
        deadline=None, max_examples=40, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate]
    )
    settings.register_profile("mutants", quick)
    settings.load_profile("mutants")


def pytest_runtest_setup() -> None:
    """Forget what functions of ours keep."""
    for name, module in list(sys.modules.items()):
        if name.startswith("sluice."):
            for each in list(vars(module).values()):
                if hasattr(each, "cache_clear"):
                    each.cache_clear()
