"""Objects and formats: S3 with conditional writes, Parquet, CSV, JSON, XLSX, packed and PGP, read in bounds."""
