"""The names of chains that are no agreement's."""


def principal_chain(principal: str) -> str:
    """The chain of what concerns a principal under no agreement, or whichever holds."""
    return f"principal.{principal}"
