"""A site to try things with: three spaces of a made-up company."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from catchment.simulators.confluence.world import EVERYBODY, World

if TYPE_CHECKING:
    from catchment.simulators.confluence.simulator import Confluence

_SPACES = (("ENG", "Engineering"), ("OPS", "Operations"), ("HR", "People"))
_SUBJECTS = ("gauge", "weir", "pump", "sluice", "intake", "reservoir", "sensor", "bridge", "channel", "dam")
_KINDS = ("runbook", "review", "plan", "handbook", "report", "checklist", "decision", "overview")
_WORDS = (
    "the level was read twice and the pump ran through the night without a fault",
    "call the office before the gate is opened and write the time into the log",
    "nobody may enter the chamber alone and the second key stays with the shift",
    "the sensor drifts in cold water so compare it with the staff gauge every week",
    "rain is expected by noon and the basin has room for two days of it",
)
_BODY = """<h2>Purpose</h2><p>{first}.</p><ac:structured-macro ac:name="info"><ac:rich-text-body>
<p>{second}.</p></ac:rich-text-body></ac:structured-macro><h2>Steps</h2>
<ol><li>{third}</li><li>Number {number}</li></ol>
<table><tbody><tr><th>Unit</th><th>Value</th></tr>
<tr><td>{subject}</td><td>{number}</td></tr></tbody></table>
<ac:structured-macro ac:name="code"><ac:parameter ac:name="language">bash</ac:parameter><ac:plain-text-body>
<![CDATA[read-gauge --unit {number} | tee level.log]]></ac:plain-text-body></ac:structured-macro>
<ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-status>incomplete</ac:task-status>
<ac:task-body>Check {subject}</ac:task-body></ac:task></ac:task-list>"""


def fill(site: Confluence, seed: int, *, pages: int = 80) -> None:
    """Make spaces with `pages` pages each, posts, comments, files, and some that not everybody sees."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    world = site.world
    world.add_user("712020:berta", name="Berta Brook")
    world.add_user("712020:carl", groups=(EVERYBODY, "keepers"), name="Carl Canal")
    for key, name in _SPACES:
        if all(space.key != key for space in world.spaces.values()):
            world.add_space(key, name)
        made: list[int] = [world.space(key).homepage_id or 0]
        for number in range(pages):
            site.clock.advance(60)
            made.append(_page(world, draw, key, number, draw.choice(made)))
        for number in range(5):
            site.clock.advance(3600)
            world.add_blogpost(key, f"{name} news {number}", f"<p>{draw.choice(_WORDS)}.</p>")
        for id_ in draw.sample(made, 20):
            comment = world.add_comment(id_, f"<p>Is it so that {draw.choice(_WORDS)}?</p>")
            if draw.random() < 0.3:
                world.add_comment(id_, "<p>It is.</p>", answers=comment)
        for id_ in draw.sample(made, 12):
            world.attach(id_, f"reading-{id_}.txt", f"{draw.choice(_WORDS)}\n".encode())
        for id_ in draw.sample(made, 10):
            world.label(id_, draw.choice(_SUBJECTS), "reviewed")
        world.restrict(draw.choice(made[1:]), users=["712020:admin"], groups=["keepers"])


def _page(world: World, draw: random.Random, key: str, number: int, parent: int) -> int:
    subject, kind = draw.choice(_SUBJECTS), draw.choice(_KINDS)
    first, second, third = (draw.choice(_WORDS) for _ in range(3))
    body = _BODY.format(
        first=first.capitalize(), second=second.capitalize(), third=third, number=number, subject=subject
    )
    return world.add_page(key, f"{subject.title()} {kind} {number}", body, parent=parent)
