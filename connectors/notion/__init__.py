"""Notion: the pages, databases and rows of databases that are shared with an integration.

Signs in with the token of an internal integration, or with OAuth.
Key: id of the page or data source. Version: `last_edited_time`, rounded to the minute by Notion; an edit of
the last minutes is marked as unsettled and looked at once more. Order: oldest edit first.
Deletions show as absence from a complete listing, as `in_trash`, and by webhook.
Limit: three requests a second on average. https://developers.notion.com/reference
"""

from connectors.notion.config import NotionConfig
from connectors.notion.connector import Notion
from connectors.notion.credentials import NotionCredentials

__all__ = ["Notion", "NotionConfig", "NotionCredentials"]
