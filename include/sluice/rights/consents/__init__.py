"""Consent records: what persons said about being contacted. Imported from files, exported as ISO/IEC TS 27560."""
