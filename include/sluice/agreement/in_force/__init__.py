"""Which papers hold on a day, as known at an instant: activating them by hash, storing and finding them."""
