"""Airflow asks every five minutes what is due; kpis.yaml says when that is. Put it into the folder of DAGs."""

from __future__ import annotations

import datetime as dt

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    "cadran_due",
    schedule="*/5 * * * *",
    start_date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    catchup=False,  # cadran makes up for what was missed by itself
    max_active_runs=1,
) as dag:
    BashOperator(task_id="run_due", bash_command="cadran -C /srv/kpis run --due", retries=0)
