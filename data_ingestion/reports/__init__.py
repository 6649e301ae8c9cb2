"""Reports: tables of gold as CSV files and as one page with plots, for whoever has no Superset.

`definition` reads what a report holds, `report` asks the warehouse and writes, `csv_file` and `page` are its two forms,
`plots` draws.
"""
