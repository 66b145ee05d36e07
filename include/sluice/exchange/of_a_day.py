"""SQL over ``exchange`` for the returns of a day: which rows they are, and which of them a newer one replaced.

Data given back at the end of an agreement (GDPR Art. 28(3)(g)) has a day too, but is not a return of a day.
"""

from sluice.ledger.record import GIVEN_BACK

OF_A_DAY = f"direction = 'outbound_return' and not starts_with(version_id, '{GIVEN_BACK}')"
IS_SUPERSEDED = f"""({OF_A_DAY} and exists (select from exchange newer
    where (newer.principal, newer.flow, newer.day) = (exchange.principal, exchange.flow, exchange.day)
      and {OF_A_DAY} and newer.opened_at > exchange.opened_at))"""
"""Whether another return of the same day was opened later, so that this one is stale."""
