"""The Python client of Catchment's HTTP API: `Client` blocks, `AsyncClient` is awaited.

    from catchment.client import Client

    with Client("http://127.0.0.1:8377", token) as client:
        job = client.connectors.sync("conn_...")
        report = job.wait(progress=lambda seen: print(seen.progress.indexed))

What can be asked is written once, as steps that know no network (see `catchment.client.steps`); the two
clients differ only in how they take a step. Of Catchment itself the client needs nothing but its errors and
clock.
"""

from catchment.client.client import AsyncClient, AsyncJob, Client, Job
from catchment.client.errors import (
    ClientError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    ServerFailed,
    StillRunning,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unreachable,
)
from catchment.client.push import NewDocument
from catchment.client.replies import (
    Collection,
    Connector,
    Document,
    DocumentError,
    File,
    FullDocument,
    Hit,
    JobReport,
    Overview,
    Progress,
    Pushed,
    Resource,
    SearchResults,
    Space,
    Standing,
    Trial,
    UpdatedConnector,
    Upload,
)
from catchment.client.retries import Retries

__all__ = [
    "AsyncClient",
    "AsyncJob",
    "Client",
    "ClientError",
    "Collection",
    "Conflict",
    "Connector",
    "Document",
    "DocumentError",
    "File",
    "Forbidden",
    "FullDocument",
    "Hit",
    "Invalid",
    "Job",
    "JobReport",
    "NewDocument",
    "NotFound",
    "Overview",
    "Progress",
    "Pushed",
    "RateLimited",
    "Resource",
    "Retries",
    "SearchResults",
    "ServerFailed",
    "Space",
    "Standing",
    "StillRunning",
    "TooLarge",
    "Trial",
    "Unauthenticated",
    "Unavailable",
    "Unreachable",
    "UpdatedConnector",
    "Upload",
]
