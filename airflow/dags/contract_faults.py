"""No DAG, but an import error on Airflow's page for as long as a contract is faulty.

A file with an error makes no DAG, so this one reports it, and domains.py continues with all other contracts.
"""

from goldworks_dags.domain import contract_folder

from data_ingestion.faults import combine

if faulty := contract_folder().faulty:
    raise combine([contract.error for contract in faulty])
