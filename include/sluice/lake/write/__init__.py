"""Tables written for people and machines: CSV, XLSX without a live formula, JSON, Parquet."""
