"""The cheapest look at a listed item never says more than the whole judgement would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catchment.core.items import Item
from catchment.core.runs import ItemState, Mode
from catchment.store.items import Known
from catchment.sync.selection import TOUCH, UNCHANGED, Fate, judge, standing_of

few = st.sampled_from(["a", "b"])
marks = st.sampled_from([None, "1", "2"])
scopes = st.sampled_from([1, 2])
listed = st.builds(Item, key=few, path=few, version=marks, url=marks)
known = st.builds(
    Known,
    key=few,
    pk=st.just(1),
    scope_pk=scopes,
    path=few,
    origin=st.just("source"),
    state=st.sampled_from(list(ItemState)),
    version=marks,
    content_hash=st.none(),
    reason=st.none(),
    attempts=st.just(0),
    next_attempt_at=st.sampled_from([None, 5.0]),
    updated_at=st.just(0.0),
    url=marks,
    has_document=st.booleans(),
)


@given(listed, known, scopes)
def test_what_is_settled_is_unchanged(item: Item, before: Known, scope: int) -> None:
    """An automatic run may leave it without a further thought, and leaves nothing else so."""
    verdict = judge(
        item,
        before,
        mode=Mode.AUTO,
        named=False,
        reported=False,
        relisted=True,
        scope_pk=scope,
        refusal=None,
        now=1e9,
    )
    marked = item.version is not None
    stands = before.state == ItemState.INDEXED and before.has_document and before.scope_pk == scope
    settled = (
        stands
        and before.version is not None
        and standing_of(item) == (before.key, before.version, before.path, before.url)
    )
    assert settled == (verdict == UNCHANGED and marked)


@given(listed, known, scopes)
def test_an_incremental_run_takes_over_where_an_unchanged_thing_is_now(
    item: Item, before: Known, scope: int
) -> None:
    """Listed because a mark had expired: the new mark passes over a rename, so this run must see it."""
    verdict = judge(
        item,
        before,
        mode=Mode.INCREMENTAL,
        named=False,
        reported=False,
        relisted=True,
        scope_pk=scope,
        refusal=None,
        now=1e9,
    )
    same = item.version is not None and item.version == before.version
    if same and before.state == ItemState.INDEXED and before.has_document:
        facts = (item.key, item.path, item.url, scope)
        moved = facts != (before.key, before.path, before.url, before.scope_pk)
        assert (verdict == TOUCH) if moved else (verdict.fate is Fate.IGNORE)
