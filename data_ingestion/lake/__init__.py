"""Lake: the records of loaded drops as they came, as Parquet that any engine reads, partitioned by dataset and day."""
