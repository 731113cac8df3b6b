"""A stand-in of Notion: a workspace whose pages, databases and comments can be changed, behind its API.

world = NotionSimulator()
page = world.page("Handbook", blocks=[paragraph("Welcome.")])
with world.serve() as url: ...
"""

from catchment.simulators.notion.blocks import Spec, block, cell_row, heading, paragraph, text
from catchment.simulators.notion.simulator import NotionSimulator

__all__ = ["NotionSimulator", "Spec", "block", "cell_row", "heading", "paragraph", "text"]
