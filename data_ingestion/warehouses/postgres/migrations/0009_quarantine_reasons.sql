-- Why rows are in quarantine, without a word of them: what readers of the ledger may see.

create view ops.quarantine_reasons as
select dataset, column_name, reason, count(*) as open_rows, max(load_id) as newest_load_id
from ops.quarantine
where closed_by_load_id is null
group by dataset, column_name, reason;
comment on view ops.quarantine_reasons is 'One row a dataset, column and reason with open rows in quarantine.';
