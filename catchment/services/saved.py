"""Documents that a person saves by hand, in a connector that is made on first use."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from catchment.core.errors import UsageError
from catchment.core.ids import new_short_id
from catchment.core.runs import ConnectorStatus
from catchment.core.settings import parse_settings
from catchment.kit.registry import PUSHED
from catchment.services import connectors as connector_service
from catchment.services import push, push_input
from catchment.services.context import Context
from catchment.store import connectors, documents, items
from catchment.store.documents import DocumentRow
from catchment.store.engine import reading
from catchment.store.rows import ConnectorRow

NAME = "Manual Saves"
PROVIDER = "manual"
_making = threading.Lock()


class SaveRejected(UsageError):
    """The document cannot be saved; the message says why."""

    code = "save_rejected"


def save(context: Context, document: Mapping[str, Any], *, tenant_id: str | None = None) -> DocumentRow:
    """Save one document; when this returns it can be found.

    Args:
        context: The surroundings.
        document: ``text`` and what a push may say beside it, without ``external_id``.
        tenant_id: Whose it is, by default the command line's.

    Raises:
        SaveRejected: The text is empty, or another field is wrong; nothing was stored.
        PushRejected: The connector of saved documents is paused.
    """
    key = f"save-{new_short_id()}"
    sent = {**document, "external_id": key}
    try:
        # Before there is a connector for it, and a run that would have taken nothing.
        push_input.read_document(sent, max_characters=parse_settings().max_characters)
    except push_input.DocumentRejected as rejected:
        raise SaveRejected(f"{rejected}.") from None
    connector = _connector(context, tenant_id)
    push.push(context, connector, [sent])
    with reading(context.engine) as connection:
        known = items.lookup(connection, connector.pk, [key])[key]
        document_id = documents.id_of(connection, known.pk)
        assert document_id is not None
        return documents.find(connection, document_id)[0]


def _connector(context: Context, tenant_id: str | None) -> ConnectorRow:
    """Return the connector of saved documents; should two processes make one each, the older one serves."""
    with _making:
        with reading(context.engine) as connection:
            tenant = tenant_id or connectors.default_tenant(connection)
            for row in connectors.all_living(connection, tenant):
                if row.provider == PROVIDER and row.execution == PUSHED and row.name == NAME:
                    return row
        made = connector_service.add(context, PROVIDER, {}, name=NAME, pushed=True, tenant_id=tenant)
        assert made.status == ConnectorStatus.ACTIVE
        return made
