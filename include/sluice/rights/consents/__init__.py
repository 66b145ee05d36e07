"""Consent records: what persons said to being contacted, taken in by file, given out as ISO/IEC TS 27560."""
