"""What a struct does not show stays out of its repr, and with that out of logs and tracebacks."""

from __future__ import annotations

from typing import Any

import pytest

from catchment.core.discreet import Discreet
from catchment.core.home import HomeSettings
from catchment.core.items import Content, Item
from catchment.core.server import ServerSettings
from catchment.kit.http import Bearer
from catchment.kit.oauth import Client
from catchment.kit.transcriber import HttpTranscriber
from catchment.kit.webhook import Handshake
from catchment.services.access import IssuedToken
from connectors.folder.patterns import IgnoreList
from connectors.rss.web import Basic

DISCREET = (
    Basic,
    Bearer,
    Client,
    Handshake,
    HomeSettings,
    HttpTranscriber,
    IgnoreList,
    IssuedToken,
    Item,
    ServerSettings,
)


@pytest.mark.parametrize("kind", DISCREET, ids=lambda kind: kind.__name__)
def test_all_is_shown_but_what_is_unseen(kind: Any) -> None:
    values = {name: f"<{name}>" for name in kind.__struct_fields__}
    shown = repr(kind(**values))
    assert kind.unseen <= set(values)
    for name, value in values.items():
        assert (f"{name}='{value}'" in shown) is (name not in kind.unseen), shown
        assert (value in shown) is (name not in kind.unseen), shown


def test_the_list_above_is_whole() -> None:
    ours = {
        kind for kind in Discreet.__subclasses__() if kind.__module__.startswith(("catchment", "connectors"))
    }
    assert ours == set(DISCREET)


def test_a_repr_reads_like_the_call_that_makes_it() -> None:
    item = Item("a.txt", "a.txt", version="1", content=Content(b"long " * 1000))
    assert repr(item).startswith("Item(key='a.txt', path='a.txt', version='1', size=None,")
    assert repr(item).endswith(", metadata={})")
