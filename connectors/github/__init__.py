"""GitHub: files of branches, issues, pull requests and discussions of chosen repositories.

Signs in with a token or as an app (read access to contents, issues, pull requests, discussions, metadata).
Keys: a file is repository id, branch and path; an issue, pull request or discussion is its node id. Versions:
hash of the blob; time of the last change, UTC, whole seconds. Changes of files come by comparing commits,
those of issues by time, oldest first, those of discussions newest first. https://docs.github.com/rest
"""

from connectors.github.config import GitHubConfig
from connectors.github.connector import GitHub
from connectors.github.credentials import GitHubCredentials

__all__ = ["GitHub", "GitHubConfig", "GitHubCredentials"]
