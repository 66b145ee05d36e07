"""The records of processing activities (GDPR Art. 30), from papers and exchanges, as PDF, CSV, XLSX and JSON."""
