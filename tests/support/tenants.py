"""Two tenants and those who call: what the contract's cases, and tests of the faces, refer to."""

from __future__ import annotations

from uuid import UUID

from catchment.services import access, spaces
from catchment.services.context import Context


def variables_of(context: Context, base_url: str) -> dict[str, str]:
    """Make tenants, principals and tokens in a store, and return the names that cases have for them."""
    owner = access.add_token(context, "owner", role="owner", kind="user")
    caller = access.authenticate(context, owner.secret)
    space = spaces.list_spaces(context, caller)[0].id
    collection = spaces.list_collections(context, caller, space_id=space)[-1].row.id
    admin = access.add_token(context, "admin", role="admin", space_roles={space: "admin"}, kind="user")
    key = access.add_token(context, "key of admin", principal_id=admin.principal.id)
    viewer = access.add_token(context, "viewer", role="viewer", space_roles={space: "viewer"})
    outsider = access.add_token(context, "outsider", role="editor", space_roles={})
    elsewhere = access.tenant_called(context, "elsewhere")
    other = access.add_token(context, "other tenant", role="owner", tenant_id=elsewhere)
    return {
        "base_url": base_url,
        "space_id": str(UUID(space)),
        "collection_id": str(UUID(collection)),
        "zen_collection": f"col_{collection}",
        "tok_admin": admin.secret,
        "key_admin": key.secret,
        "tok_viewer": viewer.secret,
        "tok_outsider": outsider.secret,
        "tok_other_tenant": other.secret,
        "tok_bad": "ct_there-is-no-such-token",
    }
