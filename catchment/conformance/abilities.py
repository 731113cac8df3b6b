"""What a vendor may be unable to do, and the words in which a world says so."""

from __future__ import annotations

from enum import StrEnum


class Ability(StrEnum):
    """Something that a world does at its vendor; the value is the name of the method that does it."""

    EDIT = "edit"
    REMOVE = "remove"
    RESTORE = "restore"
    RENAME = "rename"
    MOVE = "move"
    RESTRICT = "restrict"
    LATE = "late"
    PAGE_SIZE = "page_size"
    BIG = "big"
    BAD_TOKEN = "bad_token"  # noqa: S105 - the name of a method
    UNREACHABLE = "unreachable"
    MISSING_SCOPE = "missing_scope"
    WRONG_SETTING = "wrong_setting"
    FAIL_LISTING = "fail_listing"
    FAIL_BODY = "fail_body"
    MEANWHILE = "meanwhile"
    REPEAT_CURSOR = "repeat_cursor"
    EMPTY_PAGE = "empty_page"
    DROP_NEXT = "drop_next"
    ERROR_WITH_200 = "error_with_200"
    RATE_LIMIT = "rate_limit"
    EXPIRE_TOKEN = "expire_token"  # noqa: S105 - the name of a method
    REVOKE_TOKEN = "revoke_token"  # noqa: S105 - the name of a method
    EXPIRE_CURSORS = "expire_cursors"
    FUTURE_CURSOR = "future_cursor"
    LEAST_REQUESTS = "least_requests"
    DELIVERY = "delivery"
    STALE_DELIVERY = "stale_delivery"
    UNKNOWN_DELIVERY = "unknown_delivery"


OVER_HTTP = frozenset(
    {
        Ability.BAD_TOKEN,
        Ability.REPEAT_CURSOR,
        Ability.EMPTY_PAGE,
        Ability.DROP_NEXT,
        Ability.ERROR_WITH_200,
        Ability.RATE_LIMIT,
        Ability.EXPIRE_TOKEN,
        Ability.REVOKE_TOKEN,
        Ability.LEAST_REQUESTS,
    }
)
"""What only a vendor behind HTTP can do; `World.not_http` declares all of it at once."""
SIGNED_IN = frozenset({Ability.BAD_TOKEN, Ability.EXPIRE_TOKEN, Ability.REVOKE_TOKEN})
"""What needs credentials."""
WITH_MARKS = frozenset({Ability.EXPIRE_CURSORS, Ability.FUTURE_CURSOR, Ability.LATE})
"""What needs a change feed."""
BY_WEBHOOK = frozenset({Ability.DELIVERY, Ability.STALE_DELIVERY, Ability.UNKNOWN_DELIVERY})
"""What needs webhooks."""
