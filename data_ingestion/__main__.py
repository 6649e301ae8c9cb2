"""`python -m data_ingestion` is `goldworks`."""

from data_ingestion.cli import main

main()
