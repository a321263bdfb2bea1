"""Small static SVG, its colours left to the page's style sheet.

Drawn here, and not by a plotting library: the five forms that a report needs are some two hundred lines, follow the
page into the dark without a script, tell each figure when it is pointed at, and cost a run milliseconds.
"""

from dltf.report.charts.bars import Bar, bars
from dltf.report.charts.heat import heat_map
from dltf.report.charts.histogram import histogram
from dltf.report.charts.scatter import Series, scatter

__all__ = ["Bar", "Series", "bars", "heat_map", "histogram", "scatter"]
