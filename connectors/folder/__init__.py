"""Folder: the files below one directory of this machine.

Signs in to nothing; reads what the account that runs Catchment may read.
Key: path relative to the folder, POSIX, bytes that are not UTF-8 percent-escaped (`names`).
Version: modification time in nanoseconds, size and inode. Order: folder by folder, names in byte order.
A folder has no change feed: what disappeared is what a complete listing no longer shows.
"""

from connectors.folder.config import FolderConfig
from connectors.folder.connector import Folder

__all__ = ["Folder", "FolderConfig"]
