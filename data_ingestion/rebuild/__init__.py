"""Rebuild: a dataset's raw table, history and quarantine made again from the landing, under today's contract."""

from data_ingestion.rebuild.plan import LeftDrop, Missing, RebuildPlan
from data_ingestion.rebuild.read import Progress
from data_ingestion.rebuild.run import RebuildReport, rebuild

__all__ = ["LeftDrop", "Missing", "Progress", "RebuildPlan", "RebuildReport", "rebuild"]
