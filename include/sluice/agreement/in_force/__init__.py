"""Which papers hold on a day, as known at an instant: activated by hash, kept, found."""
