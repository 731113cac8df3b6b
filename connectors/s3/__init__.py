"""S3: the objects of one bucket, at Amazon or at any server that speaks its protocol.

Signs in with access keys, an assumed role, a profile, the machine's own role, or not at all.
Key: the object's key. Version: ETag without quotes, and size. Order: as the server lists.
S3 has no change feed: what disappeared is what a complete listing no longer shows.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from connectors.s3.config import S3Config
from connectors.s3.connector import S3
from connectors.s3.credentials import S3Credentials

__all__ = ["S3", "S3Config", "S3Credentials"]
