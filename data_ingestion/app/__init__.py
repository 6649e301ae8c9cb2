"""What a command and a task of Airflow both do, once. Each adds its own words: a terminal's lines, or a log's."""
