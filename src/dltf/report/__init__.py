"""The report of a run: one page for people, one file for CI."""

from dltf.report.write import JUNIT, MOST, REPORT, write_report

__all__ = ["JUNIT", "MOST", "REPORT", "write_report"]
