"""The report of generated tests."""

from dltf.report.feature.write import write_feature_report

__all__ = ["write_feature_report"]
