"""Objects and formats: S3 with conditional writes; CSV, JSON, XLSX, Parquet, packed and PGP files, within limits."""
