"""What is known of providers: those that are installed, and those whose connectors can only be made so far.

Data only. An entry says what a person fills in and which of it is secret, so that a connector can be made
and shown before (and without) the code that reads its source. A provider of ours without code stands here
with the names of settings that clients use; `stand_in` makes the class that takes the place of its code.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from msgspec import Struct
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretBytes, SecretStr, create_model

from catchment.core.errors import ItemUnreadable, NotInstalled
from catchment.core.items import Content, Item, Scope
from catchment.kit.config import SourceConfig, SourceCredentials
from catchment.kit.connector import BrowsePage, Connector, Kind
from catchment.kit.health import Capability, Health
from catchment.kit.spelling import spellings


class Setting(Struct, frozen=True):
    """One thing to fill in: its name as clients write it, and what it means."""

    name: str
    type: Any
    description: str
    required: bool = False


class Planned(Struct, frozen=True):
    """A provider of ours that is known before its code is installed.

    Attributes:
        slug: Identity, in kebab-case.
        display_name: What a person calls it.
        auth: ``none``, ``key`` or ``oauth2``.
        kind: See `Kind`.
        config: Its settings beside those of every source.
        credentials: What it signs in with; anything else is refused, because it could not be kept secret.
        scopes: Permissions to grant at the vendor.
    """

    slug: str
    display_name: str
    auth: str
    kind: Kind = Kind.LISTING
    config: tuple[Setting, ...] = ()
    credentials: tuple[Setting, ...] = ()
    scopes: tuple[str, ...] = ()


_ACCESS_TOKEN = Setting("access_token", SecretStr | None, "Token of the sign-in.")
_REFRESH_TOKEN = Setting("refresh_token", SecretStr | None, "Renews the access token.")
_TOKENS = (_ACCESS_TOKEN, _REFRESH_TOKEN)

PLANNED = (
    Planned(
        "s3",
        "Amazon S3",
        "key",
        config=(
            Setting("bucket", str, "Name of the bucket.", required=True),
            Setting("region", str | None, "Such as eu-central-1."),
            Setting("prefix", str, "Only keys that begin so."),
            Setting("endpoint", str | None, "URL of a server other than Amazon's."),
        ),
        credentials=(
            Setting("accessKeyId", SecretStr, "Access key ID.", required=True),
            Setting("secretAccessKey", SecretStr, "Secret access key.", required=True),
        ),
    ),
    Planned(
        "postgresql",
        "PostgreSQL",
        "key",
        config=(
            Setting("host", str, "Name or address of the server.", required=True),
            Setting("port", int, "Port of the server."),
            Setting("database", str, "Name of the database.", required=True),
            Setting("schema", str | None, "Only tables of this schema."),
        ),
        credentials=(
            Setting("user", str, "Name of the user.", required=True),
            Setting("password", SecretStr | None, "Password of the user."),
        ),
    ),
    Planned(
        "google-drive",
        "Google Drive",
        "oauth2",
        config=(Setting("folder_ids", list[str], "Only these folders; empty means everything."),),
        credentials=_TOKENS,
        scopes=("drive.readonly", "drive.metadata.readonly"),
    ),
    Planned(
        "confluence",
        "Confluence",
        "oauth2",
        config=(
            Setting("instanceUrl", str, "Address of the site.", required=True),
            Setting("spaceKeys", list[str], "Only these spaces; empty means all."),
        ),
        credentials=(
            Setting("email", str | None, "Account of the API token."),
            Setting("api_token", SecretStr | None, "API token of the account."),
            *_TOKENS,
        ),
    ),
    Planned(
        "github",
        "GitHub",
        "oauth2",
        config=(
            Setting("repos", list[str], "Repositories, each as owner/name."),
            Setting("branch", str | None, "Branch to read; empty means the default one."),
            Setting("pathFilter", str | list[str] | None, "Only files whose path matches."),
        ),
        credentials=(Setting("token", SecretStr | None, "Personal access token."), *_TOKENS),
        scopes=("contents:read", "issues:read", "pull_requests:read", "discussions:read", "metadata:read"),
    ),
    Planned(
        "slack",
        "Slack",
        "oauth2",
        Kind.FEED,
        config=(
            Setting("channels", list[str], "Only these channels."),
            Setting("dateRange", Any, "Only messages of this time."),
        ),
        credentials=(Setting("bot_token", SecretStr | None, "Token of the bot."), *_TOKENS),
        scopes=("channels:history", "channels:read", "users:read"),
    ),
    Planned(
        "notion",
        "Notion",
        "oauth2",
        credentials=(Setting("integration_token", SecretStr | None, "Token of the integration."), *_TOKENS),
    ),
    Planned(
        "salesforce",
        "Salesforce",
        "oauth2",
        config=(
            Setting("objects", list[str], "Types of objects to read."),
            Setting("soqlFilter", str | None, "Condition on the records."),
        ),
        credentials=(Setting("instance_url", str | None, "Address of the organisation."), *_TOKENS),
        scopes=("api", "refresh_token"),
    ),
    Planned(
        "rss",
        "RSS and Atom",
        "none",
        Kind.FEED,
        config=(Setting("feedUrl", str, "Address of the feed.", required=True),),
    ),
)
_BY_SLUG = {entry.slug: entry for entry in PLANNED}
AUTH = {entry.slug: entry.auth for entry in PLANNED}
"""How people sign in to providers of ours, which a class alone does not tell."""


class StandIn(Connector[SourceConfig, SourceCredentials | None]):
    """Takes the place of a provider's code: connectors can be made, and nothing can be read."""

    installed: ClassVar[bool] = False

    def check(self) -> list[Capability]:
        """Say that the code is not installed."""
        error = self._refusal()
        return [Capability("installed", Health.MISCONFIGURED, error.message, error.remedy)]

    def browse(self, parent_id: str | None = None, page: str | None = None) -> BrowsePage:  # noqa: ARG002
        """Refuse.

        Raises:
            NotInstalled: Always.
        """
        raise self._refusal()

    def scopes(self) -> list[Scope]:
        """Refuse.

        Raises:
            NotInstalled: Always.
        """
        raise self._refusal()

    def fetch(self, item: Item) -> Content:
        """Refuse.

        Raises:
            ItemUnreadable: Always.
        """
        raise ItemUnreadable(item.key, NotInstalled.code, self._refusal().message)

    def _refusal(self) -> NotInstalled:
        return not_installed(self.display_name)


def not_installed(display_name: str) -> NotInstalled:
    """Return the error for a provider that is known by name only."""
    return NotInstalled(
        f"The code that reads {display_name} is not installed.",
        remedy="Install the package that brings it; the connector stays as it is until then.",
    )


@cache
def stand_in(slug: str) -> type[StandIn] | None:
    """Return the class that takes the place of a provider's code, or None for an unknown name."""
    planned = _BY_SLUG.get(slug)
    if planned is None:
        return None
    name = "".join(part.title() for part in slug.split("-"))
    facts = {
        "__doc__": f"{planned.display_name}, without its code.",
        "__module__": __name__,
        "slug": slug,
        "display_name": planned.display_name,
        "kind": planned.kind,
        "config_model": _model(f"{name}Config", SourceConfig, planned.config, open_ended=True),
        "credentials_model": _model(
            f"{name}Credentials", SourceCredentials, planned.credentials, open_ended=False
        )
        if planned.credentials
        else None,
        "scopes_needed": planned.scopes,
        # Whether a sign-in is needed at all is for the code to say; a token sign-in always is.
        "credentials_required": planned.auth == "oauth2",
    }
    return type(name, (StandIn,), facts)


def _model(name: str, base: type[BaseModel], settings: tuple[Setting, ...], *, open_ended: bool) -> type[Any]:
    """Make a model of settings, each of which may be spelt with capitals or underscores between its words."""
    fields: dict[str, Any] = {}
    for setting in settings:
        default = ... if setting.required else None
        kind = setting.type if setting.required or setting.type is Any else setting.type | None
        fields[_attribute(setting.name)] = (
            kind,
            Field(
                default,
                validation_alias=AliasChoices(*spellings(setting.name)),
                serialization_alias=setting.name,
                title=setting.name,
                description=setting.description,
            ),
        )
    config = ConfigDict(extra="allow" if open_ended else "forbid", serialize_by_alias=True)
    holder = type(f"_{name}", (base,), {"__module__": __name__, "model_config": config})
    made: type[Any] = create_model(name, __base__=holder, **fields)
    return made


def _attribute(name: str) -> str:
    """Keep clear of the names that a model has already, such as ``schema``."""
    return f"{name}_" if hasattr(BaseModel, name) else name


def config_schema(provider: type[Connector[Any, Any]]) -> dict[str, Any]:
    """Return the JSON Schema of a provider's settings, names as clients write them."""
    return provider.config_model.model_json_schema(by_alias=True)


def required_credentials(provider: type[Connector[Any, Any]]) -> list[str]:
    """Return the credentials that it cannot do without."""
    return _required(provider.credentials_model) if provider.credentials_model is not None else []


def secret_names(provider: type[Connector[Any, Any]]) -> set[str]:
    """Return the names under which a client may send secrets, be it as credentials or among the settings."""
    names: set[str] = set()
    for model in (provider.config_model, provider.credentials_model):
        if model is None:
            continue
        for name, field in model.model_fields.items():
            if _is_secret(field.annotation):
                names |= set(spellings(name))
    return names


def holds_secrets(provider: type[Connector[Any, Any]], values: Mapping[str, Any]) -> bool:
    """Tell whether one of these values is a secret of the provider's, and not empty."""
    return not secret_names(provider).isdisjoint(name for name, value in values.items() if value)


def auth_type(provider: type[Connector[Any, Any]]) -> str:
    """Return how people sign in: ``none``, ``key`` or ``oauth2``."""
    if provider.slug in AUTH:
        return AUTH[provider.slug]
    return "none" if provider.credentials_model is None else "key"


def needs_credentials(provider: type[Connector[Any, Any]]) -> bool:
    """Tell whether a connector cannot begin before somebody has signed in."""
    if provider.credentials_model is None or not provider.credentials_required:
        return False
    return auth_type(provider) == "oauth2" or bool(required_credentials(provider))


def _required(model: type[BaseModel]) -> list[str]:
    return [
        field.serialization_alias or name for name, field in model.model_fields.items() if field.is_required()
    ]


def _is_secret(annotation: Any) -> bool:
    if annotation in (SecretStr, SecretBytes):
        return True
    return any(_is_secret(part) for part in getattr(annotation, "__args__", ()))
