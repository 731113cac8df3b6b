"""Who signs the requests, and the boto3 client that does."""

from __future__ import annotations

import logging
import os
import re
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from catchment.kit import AuthRejected, ConfigRejected, Session
from connectors.s3.config import S3Config
from connectors.s3.credentials import S3Credentials
from connectors.s3.errors import refuse_web_page

if TYPE_CHECKING:
    import boto3

# It writes whole requests down, with what signs them, and answers with the keys of roles.
logging.getLogger("botocore").setLevel(logging.INFO)

CONNECT_SECONDS = 10
READ_SECONDS = 60
DEFAULT_REGION = "us-east-1"
_CONNECTIONS = 32
_BEFORE_PARSE = "before-parse.s3.*"
_ROLE_SESSION = "catchment"


class Keys(NamedTuple):
    """An access key at one moment; a role's is renewed."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None


class SignIn:
    """The identity that one connector acts as; makes clients, and hands out keys for other libraries.

    A connector that the operator of the machine did not make never borrows the machine's own identity
    and never reads the AWS settings of its account.
    """

    def __init__(self, config: S3Config, credentials: S3Credentials | None, session: Session) -> None:
        self._config = config
        self._credentials = credentials
        self._session = session
        self._lock = threading.RLock()
        self._aws: boto3.Session | None = None
        self._keys: Any = None
        self._signing: boto3.Session | None = None

    def client(self, region: str) -> Any:
        """Return a new client for S3 whose requests are signed for a region, each made once.

        Raises:
            SourceError: There is nobody to sign in as, or the server may not be reached.
            BotoCoreError: The sign-in fails.
        """
        import botocore
        from botocore.config import Config

        with self._lock:
            self._require_reachable()
            options: dict[str, Any] = {"s3": {"addressing_style": self._addressing}}
            if self._config.anonymous:
                options["signature_version"] = botocore.UNSIGNED
            else:
                self._sign_in()
            session = self._signing or self._session_of_aws()
            return self._make(session, "s3", region, Config(**self._options(), **options))

    def region(self) -> str:
        """Return the region to begin with: the one set, else the machine's where it signs in."""
        if self._config.region:
            return self._config.region
        if self._credentials is None and not self._config.anonymous and self._session.trusted:
            found = self._session_of_aws().region_name
            if found:
                return str(found)
        return DEFAULT_REGION

    def keys(self) -> Keys:
        """Return the keys as they are now, renewed if they are about to expire."""
        with self._lock:
            self._sign_in()
            frozen = self._keys.get_frozen_credentials()
        return Keys(frozen.access_key, frozen.secret_key, frozen.token)

    @property
    def _addressing(self) -> str:
        return "path" if self._config.uses_path_style else "virtual"

    def _options(self) -> dict[str, Any]:
        proxy = self._session.network.proxy
        return {
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
            "max_pool_connections": _CONNECTIONS,
            # `Pace` repeats requests, since its waits can be seen and end with the run.
            "retries": {"total_max_attempts": 1},
            # Many servers other than Amazon's refuse the newer checksums.
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
            # The endpoint is part of a connector's identity, so it stands in its settings alone.
            "ignore_configured_endpoint_urls": True,
            **({"proxies": {"http": proxy, "https": proxy}} if proxy else {}),
        }

    def _make(self, session: boto3.Session, service: str, region: str, config: Any) -> Any:
        return session.client(
            service,
            region_name=region,
            endpoint_url=self._config.endpoint,
            verify=self._session.network.ca_file,
            config=config,
        )

    def _session_of_aws(self) -> boto3.Session:
        with self._lock:
            if self._aws is None:
                self._aws = self._new_session()
            return self._aws

    def _new_session(self) -> boto3.Session:
        import boto3
        import botocore.session

        config, credentials = self._config, self._credentials
        if credentials is not None and (config.anonymous or config.profile):
            raise ConfigRejected(
                "The connector has an access key, and a setting that asks for another sign-in.",
                setting="anonymous" if config.anonymous else "profile",
                remedy="Take the setting away, or the access key.",
            )
        if config.anonymous or credentials is not None:
            core = botocore.session.Session(session_vars=_ALONE)
        else:
            self._require_trust()
            core = botocore.session.Session(profile=config.profile)
        if credentials is not None:
            token = credentials.session_token
            core.set_credentials(
                credentials.access_key_id.get_secret_value().strip(),
                credentials.secret_access_key.get_secret_value().strip(),
                (token.get_secret_value().strip() or None) if token else None,
            )
        _prepare(core)
        return boto3.Session(botocore_session=core)

    def _sign_in(self) -> None:
        """Find the keys that sign, once; those of a role renew themselves."""
        if self._keys is not None:
            return
        keys = self._session_of_aws().get_credentials()
        if keys is None:
            raise AuthRejected(
                "This connector has no access key, and this machine has no AWS identity.",
                remedy="Store an access key, or set profile or anonymous.",
            )
        if self._config.role_arn:
            keys = self._as_role()
            self._signing = _signing_with(keys)
        self._keys = keys

    def _as_role(self) -> Any:
        from botocore.config import Config
        from botocore.credentials import RefreshableCredentials

        # Servers other than Amazon's that have roles hand them out at the same address.
        sts = self._make(self._session_of_aws(), "sts", self.region(), Config(**self._options()))

        def renew() -> dict[str, Any]:
            asked = {"RoleArn": self._config.role_arn, "RoleSessionName": _ROLE_SESSION}
            if self._config.external_id:
                asked["ExternalId"] = self._config.external_id
            given = self._assumed(sts, asked)["Credentials"]
            return {
                "access_key": given["AccessKeyId"],
                "secret_key": given["SecretAccessKey"],
                "token": given["SessionToken"],
                "expiry_time": given["Expiration"].isoformat(),
            }

        return RefreshableCredentials.create_from_metadata(
            metadata=renew(), refresh_using=renew, method="sts-assume-role"
        )

    def _assumed(self, sts: Any, asked: dict[str, Any]) -> dict[str, Any]:
        from botocore.exceptions import ClientError

        try:
            answer: dict[str, Any] = sts.assume_role(**asked)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            if code not in ("AccessDenied", "ValidationError", "MalformedPolicyDocument"):
                raise
            raise AuthRejected(
                f"The role {self._config.role_arn} may not be assumed ({code}).",
                remedy="Check role_arn and external_id, and whom the role's trust policy names.",
            ) from error
        return answer

    def _require_trust(self) -> None:
        if not self._session.trusted:
            raise ConfigRejected(
                "This connector may not sign in as the machine that it runs on.",
                setting="profile" if self._config.profile else "access_key_id",
                remedy="Store an access key, or have the operator of the machine make the connector.",
            )

    def _require_reachable(self) -> None:
        if self._config.endpoint is None:
            return
        host = urlsplit(self._config.endpoint).hostname or ""
        names = [host]
        if not self._config.uses_path_style and not re.fullmatch(r"[\d.:]+", host):
            names.append(f"{self._config.bucket}.{host}")
        for name in names:
            self._session.network.require_reachable(name, setting="endpoint")


class _Given:
    """Hands keys that renew themselves to a session of boto3, in place of its own search for some."""

    def __init__(self, keys: Any) -> None:
        self._keys = keys

    def load_credentials(self) -> Any:
        return self._keys


def _signing_with(keys: Any) -> boto3.Session:
    import boto3
    import botocore.session

    core = botocore.session.Session(session_vars=_ALONE)
    core.register_component("credential_provider", _Given(keys))
    _prepare(core)
    return boto3.Session(botocore_session=core)


def _prepare(core: Any) -> None:
    """Have a session of botocore read times fast, know a web page, and leave regions to us."""
    from botocore.handlers import BUILTIN_HANDLERS

    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_timestamp)
    events = core.get_component("event_emitter")
    events.register_first("needs-retry.s3", _follow_nobody)
    # Its own look at answers with status 200 takes a page for a failure in passing, so ours comes first.
    own = [entry[1] for entry in BUILTIN_HANDLERS if entry[0] == _BEFORE_PARSE and "200" in entry[1].__name__]
    for handler in own:
        events.unregister(_BEFORE_PARSE, handler)
    for handler in (refuse_web_page, *own):
        events.register_first(_BEFORE_PARSE, handler)


def _follow_nobody(request_dict: dict[str, Any], **_: Any) -> None:
    """Keep boto3 from changing regions by itself, request by request: `Client` does, once and for all."""
    request_dict.get("context", {}).setdefault("s3_redirect", {})["redirected"] = True


def _timestamp(value: Any) -> datetime:
    """Read the times of a listing; botocore's own way takes a third of the time of a page."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    from botocore.utils import parse_timestamp

    parsed: datetime = parse_timestamp(value)
    return parsed


# Without the machine's settings: an identity of one's own does not depend on them.
_ALONE: dict[str, tuple[None, None, str | None, None]] = {
    "profile": (None, None, None, None),
    "region": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
