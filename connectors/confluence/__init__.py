"""Confluence: pages, blog posts, comments and attachments of a site in Cloud or at Data Center.

Signs in with an API token, as an app by OAuth 2.0 (3LO) over Atlassian's gateway, or with a personal access
token at Data Center. Key: the id of the content. Version: the number of its version. Order: by id.
The API reports what was changed, and nothing that disappeared: that is what a complete listing shows no
longer.
https://developer.atlassian.com/cloud/confluence/rest/v2/
"""

from connectors.confluence.config import ConfluenceConfig, ConfluenceCredentials
from connectors.confluence.connector import Confluence

__all__ = ["Confluence", "ConfluenceConfig", "ConfluenceCredentials"]
