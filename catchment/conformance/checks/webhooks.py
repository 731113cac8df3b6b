"""That webhooks are believed only when they are signed, fresh and known, and that many of them do no harm."""

from __future__ import annotations

from catchment.conformance.abilities import Ability
from catchment.conformance.check import check
from catchment.conformance.stage import Stage
from catchment.conformance.world import Delivery
from catchment.core.errors import PermissionMissing
from catchment.core.items import Changed, Deleted
from catchment.kit.connector import FeedEvent

COUNT = 4
BURST = 1000


def _read(stage: Stage, delivery: Delivery, secret: str | None = None) -> list[FeedEvent]:
    chosen = secret if secret is not None else stage.world.webhook_secret()
    return stage.connector.webhook(delivery.headers, delivery.body, chosen)


def _keys(events: list[FeedEvent]) -> list[str]:
    return [
        event.item.key if isinstance(event, Changed) else event.key
        for event in events
        if isinstance(event, Changed | Deleted)
    ]


def _believes(stage: Stage, delivery: Delivery, secret: str | None = None) -> bool:
    try:
        _read(stage, delivery, secret)
    except PermissionMissing:
        return False
    return True


def _refuses(stage: Stage, delivery: Delivery, secret: str | None, what: str) -> None:
    stage.expect(not _believes(stage, delivery, secret), f"a delivery {what} is believed")


@check(
    "webhook-signature",
    "A delivery is believed with its signature alone: not without, not with another, not changed.",
    Ability.DELIVERY,
)
def signature(stage: Stage) -> None:
    """And the right one tells which thing it is about."""
    names = stage.fill(COUNT)
    good = stage.world.delivery(names[1])
    stage.expect(_keys(_read(stage, good)) == [stage.world.key(names[1])], "it does not name the thing")
    _refuses(stage, good, "another-secret-altogether", "signed with another secret")
    _refuses(stage, good, "", "where no secret is kept")
    changed = Delivery(good.headers, good.body + b" ")
    if stage.world.unsigned_body:
        stage.expect(
            _believes(stage, changed), "its body is signed; the world says otherwise in `unsigned_body`"
        )
    else:
        _refuses(stage, changed, None, "whose body was changed")
    _refuses(stage, Delivery({}, good.body), None, "without a signature")
    _refuses(stage, Delivery(dict.fromkeys(good.headers, ""), good.body), None, "with an empty signature")
    _refuses(
        stage,
        Delivery(dict.fromkeys(good.headers, "\u00e9\u00e9"), good.body),
        None,
        "with letters for a signature",
    )


@check(
    "webhook-stale",
    "A delivery that was signed a day ago is refused.",
    Ability.DELIVERY,
    Ability.STALE_DELIVERY,
)
def stale(stage: Stage) -> None:
    """Somebody may have kept it."""
    names = stage.fill(COUNT)
    _refuses(stage, stage.world.stale_delivery(names[1]), None, "of yesterday")


@check(
    "webhook-replayed",
    "The same delivery twice says the same twice, and changes nothing the second time.",
    Ability.DELIVERY,
)
def replayed(stage: Stage) -> None:
    """What it names is looked at, and is as it was."""
    names = stage.fill(COUNT)
    stage.succeed()
    stage.world.edit(names[1], f"the {names[1]} froze")
    stage.world.settle()
    delivery = stage.world.delivery(names[1])
    first = _keys(_read(stage, delivery))
    stage.succeed(mode="incremental", file_filter=first)
    stage.agree()
    stage.expect(_keys(_read(stage, delivery)) == first, "it says something else the second time")
    ids = stage.house.ids()
    stage.succeed(mode="auto", file_filter=first)
    stage.agree()
    stage.expect(stage.house.ids() == ids, "documents have other ids")


@check(
    "webhook-unknown-event",
    "A well signed delivery of a kind that is not known says nothing, and is no error.",
    Ability.DELIVERY,
    Ability.UNKNOWN_DELIVERY,
)
def unknown(stage: Stage) -> None:
    """Vendors add kinds without asking."""
    stage.fill(COUNT)
    told = _read(stage, stage.world.unknown_delivery())
    stage.expect(told == [], f"it says {told}")


@check(
    "webhook-burst",
    f"{BURST:,} deliveries about a few things are one run that reads each thing once.",
    Ability.DELIVERY,
)
def burst(stage: Stage) -> None:
    """Each is understood by itself."""
    names = stage.fill(COUNT)
    stage.succeed()
    for name in names:
        stage.world.edit(name, f"the {name} froze")
    stage.world.settle()
    deliveries = {name: stage.world.delivery(name) for name in names}
    told = []
    for number in range(BURST):
        told += _keys(_read(stage, deliveries[names[number % COUNT]]))
    stage.expect(len(told) == BURST, f"{len(told)} of {BURST} were understood")
    run = stage.succeed(mode="incremental", file_filter=sorted(set(told)))
    stage.expect(run.fetched == COUNT, f"{run.fetched} bodies were read for {COUNT} things")
    stage.agree()
