"""RSS: the entries of RSS, Atom and JSON feeds, by the addresses of the feeds.

Signs in to nothing, or with a user name and password. Key: feed, and the entry's guid, else its link, else a
hash. Version: a hash of what people read; never a date. Order: as the feed has it, the oldest first.
A feed shows only the newest entries, so what it no longer shows stays; a tombstone of Atom removes.
https://www.rssboard.org/rss-specification https://www.rfc-editor.org/rfc/rfc4287 https://www.jsonfeed.org/
"""

from connectors.rss.config import RSSConfig
from connectors.rss.connector import RSS
from connectors.rss.credentials import RSSCredentials

__all__ = ["RSS", "RSSConfig", "RSSCredentials"]
