"""The cheapest look at a listed item never says more than the whole judgement would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catchment.core.items import Item
from catchment.core.runs import ItemState, Mode
from catchment.store.items import Known, Standing
from catchment.sync.selection import UNCHANGED, is_settled, judge

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
        and item.key == before.key
        and is_settled(item, Standing(before.key, before.pk, before.version, before.path, before.url))
    )
    assert settled == (verdict == UNCHANGED and marked)
