"""The report of an environment matrix: one page for people, one file for CI."""

from dltf.report.matrix.write import write_matrix_report

__all__ = ["write_matrix_report"]
