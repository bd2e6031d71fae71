"""What a run leaves behind: one folder of files, and a report that opens offline and reads in a minute.

It takes an `Assessment` and gives files; every number in them is the assessment's own. Figures are inline SVG of our
own small plotting modules, so that the report needs neither network nor a plotting library. It leaves out NetCDF and
Zarr, and moves and links, which join with the planner and the link model.
"""

from skyhall.report.delivery import delivered_and_verified
from skyhall.report.html import render_html
from skyhall.report.run_folder import write

__all__ = ["delivered_and_verified", "render_html", "write"]
