"""A Confluence site on this machine: its Cloud addresses, the gateway for apps, and Data Center.

Spaces, pages, blog posts, folders, comments, attachments, labels, restrictions and groups are kept in memory
and answered as version 2 of the Cloud API, as what is left of version 1, and as Data Center do.
"""

from catchment.simulators.confluence.simulator import Confluence
from catchment.simulators.confluence.world import Content, Space

__all__ = ["Confluence", "Content", "Space"]
