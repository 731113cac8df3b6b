"""Storage format as Markdown: structure stays, and no text is lost."""

from __future__ import annotations

import pytest

from connectors.confluence.storage import markdown

CASES = {
    "headings stand below the title of the page": (
        "<h1>One</h1><h2>Two <em>b</em></h2><h6>Six</h6><h3> </h3>",
        "## One\n\n### Two *b*\n\n###### Six",
    ),
    "marks": (
        "<p>a <strong>b </strong>c <em>d</em> <code>e()</code> <del>f</del> <u>g</u> <sub>2</sub></p>",
        "a **b** c *d* `e()` ~~f~~ g 2",
    ),
    "entities and blanks": (
        "<p>1&nbsp;&lt;&nbsp;2 &amp; 3 &mdash; x\n   y</p>",
        "1 < 2 & 3 — x y",
    ),
    "breaks": (
        "<p>one<br/>two<br />  three</p>",
        "one\ntwo\nthree",
    ),
    "lists in lists": (
        "<ul><li>a<ul><li><p>b</p><p>c</p></li></ul></li><li>d</li></ul><ol start='3'><li>e"
        "</li><li>f</li></ol>",
        "- a\n  - b\n    c\n- d\n\n3. e\n4. f",
    ),
    "lists right in lists": (
        "<ul><li>a</li><ul><li>b</li></ul></ul>",
        "- a\n  - b",
    ),
    "tables": (
        "<table><colgroup><col/></colgroup><tbody><tr><th>A|B</th><th>C</th></tr><tr><td "
        "colspan='2'><p>x</p><p>y</p></td></tr><tr><td/><td/></tr><tr><td>z</td></tr>"
        "</tbody></table>",
        "| A\\|B | C |\n| --- | --- |\n| x y |  |\n| z |  |",
    ),
    "numbers that are none": (
        f"<ol start='²'><li>a</li></ol><ol start='-1'><li>b</li></ol><ol start='{'9' * 5000}'><li>c</li></ol>"
        f"<table><tr><td colspan='²'>d</td><td colspan='{'9' * 5000}'>e</td></tr></table>",
        "1. a\n\n1. b\n\n1. c\n\n| d | e |\n| --- | --- |",
    ),
    "a table in a table": (
        "<table><tbody><tr><td>a</td><td><table><tbody><tr><td>b</td><td>c</td></tr><tr>"
        "<td>d</td></tr></tbody></table></td></tr></tbody></table>",
        "| a | b, c; d |\n| --- | --- |",
    ),
    "code": (
        '<ac:structured-macro ac:name="code"><ac:parameter ac:name="language">py'
        '</ac:parameter><ac:parameter ac:name="title">run.py</ac:parameter>'
        '<ac:plain-text-body><![CDATA[if a < b:\n\n    print("&amp;")]]></ac:plain-text-body>'
        "</ac:structured-macro>",
        '**run.py**\n\n```py\nif a < b:\n\n    print("&amp;")\n```',
    ),
    "code that has fences": (
        '<ac:structured-macro ac:name="noformat"><ac:plain-text-body><![CDATA[```\nx\n```]]>'
        "</ac:plain-text-body></ac:structured-macro>",
        "````\n```\nx\n```\n````",
    ),
    "preformatted": (
        "<pre>a\n  b</pre>",
        "```\na\n  b\n```",
    ),
    "panels": (
        '<ac:structured-macro ac:name="warning"><ac:parameter ac:name="title">Care'
        "</ac:parameter><ac:rich-text-body><p>Hot.</p><ul><li>x</li></ul>"
        "</ac:rich-text-body></ac:structured-macro>",
        "> **Care**\n>\n> Hot.\n>\n> - x",
    ),
    "panels of the newer editor": (
        '<ac:adf-extension><ac:adf-node type="panel"><ac:adf-attribute key="panel-type">note'
        "</ac:adf-attribute><ac:adf-content><p>Mind it.</p></ac:adf-content></ac:adf-node>"
        "<ac:adf-fallback><div><p>Mind it.</p></div></ac:adf-fallback></ac:adf-extension>",
        "> Mind it.",
    ),
    "expand": (
        '<ac:structured-macro ac:name="expand"><ac:parameter ac:name="title">More'
        "</ac:parameter><ac:rich-text-body><p>Hidden words.</p></ac:rich-text-body>"
        "</ac:structured-macro>",
        "**More**\n\nHidden words.",
    ),
    "layouts": (
        "<ac:layout><ac:layout-section ac:type='two_equal'><ac:layout-cell><p>a</p>"
        "</ac:layout-cell><ac:layout-cell><p>b</p></ac:layout-cell></ac:layout-section>"
        "</ac:layout>",
        "a\n\nb",
    ),
    "tasks": (
        "<ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-uuid>u</ac:task-uuid>"
        "<ac:task-status>complete</ac:task-status><ac:task-body><span>done</span>"
        "</ac:task-body></ac:task><ac:task><ac:task-status>incomplete</ac:task-status>"
        '<ac:task-body>open <ac:link><ri:user ri:account-id="71:a"/></ac:link>'
        "</ac:task-body></ac:task></ac:task-list>",
        "- [x] done\n- [ ] open @71:a",
    ),
    "links": (
        '<p><a href="https://x.example/a">text</a> <a '
        'href="https://x.example">https://x.example</a> <ac:link><ri:page '
        'ri:content-title="Guide"/></ac:link> <ac:link><ri:page ri:content-title="Guide"/>'
        "<ac:link-body>the <b>guide</b></ac:link-body></ac:link> <ac:link><ri:page "
        'ri:content-title="G"/><ac:plain-text-link-body><![CDATA[plain]]>'
        '</ac:plain-text-link-body></ac:link> <ac:link><ri:attachment ri:filename="a.pdf"/>'
        '</ac:link> <a href="javascript:x()">bad</a></p>',
        "[text](https://x.example/a) https://x.example Guide the **guide** plain a.pdf bad",
    ),
    "pictures, dates, states, faces": (
        '<p><ac:image ac:alt="the weir"><ri:attachment ri:filename="w.png"/></ac:image> '
        '<ac:image><ri:attachment ri:filename="w.png"/></ac:image> <time '
        'datetime="2026-03-01"/> <ac:structured-macro ac:name="status"><ac:parameter '
        'ac:name="title">DONE</ac:parameter><ac:parameter ac:name="colour">Green'
        '</ac:parameter></ac:structured-macro> <ac:structured-macro ac:name="jira">'
        '<ac:parameter ac:name="key">AB-1</ac:parameter></ac:structured-macro> <ac:emoticon '
        'ac:name="smile" ac:emoji-fallback="🙂"/></p>',
        "[the weir] [w.png] 2026-03-01 DONE AB-1 🙂",
    ),
    "comments in the text": (
        '<p>a <ac:inline-comment-marker ac:ref="r">marked</ac:inline-comment-marker> b</p>',
        "a marked b",
    ),
    "macros that nobody knows keep their text": (
        '<ac:structured-macro ac:name="xyz"><ac:parameter ac:name="p">v</ac:parameter>'
        "<ac:rich-text-body><p>kept</p></ac:rich-text-body></ac:structured-macro>"
        '<ac:structured-macro ac:name="html"><ac:plain-text-body><![CDATA[raw words]]>'
        "</ac:plain-text-body></ac:structured-macro><unknown-thing>in <b>between</b>"
        "</unknown-thing>",
        "kept\n\nraw words\n\nin **between**",
    ),
    "macros without text leave nothing": (
        '<p>a</p><ac:structured-macro ac:name="toc"/><ac:structured-macro '
        'ac:name="recently-updated"><ac:parameter ac:name="max">5</ac:parameter>'
        "</ac:structured-macro><ac:placeholder>Type here</ac:placeholder>",
        "a",
    ),
    "what is included is named": (
        '<ac:structured-macro ac:name="include"><ac:parameter ac:name=""><ac:link><ri:page '
        'ri:content-title="Terms"/></ac:link></ac:parameter></ac:structured-macro>',
        "Terms",
    ),
    "text that looks like a heading is none": (
        "<p># 1 of 3</p><p>#tag</p>",
        "\\# 1 of 3\n\n#tag",
    ),
    "text without a paragraph": (
        "just <b>words</b><p>and more</p>tail",
        "just **words**\n\nand more\n\ntail",
    ),
    "nothing": (
        "  ",
        "",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_is_written_so(case: str) -> None:
    """Each element of the format."""
    source, wanted = CASES[case]
    assert markdown(source) == wanted


@pytest.mark.parametrize(
    "source",
    [
        "<p>word one</p><p>word two",
        "<p>word one</b></p><p>word two</p>",
        "<p>word one &bogus; </p><p>word two</p>",
        "word one < word two",
        "<p ac:x='1' ac:x='2'>word one</p><p>word two</p>",
        "<p>word one\x00\x08</p><foo:bar>word two</foo:bar>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]><p>word one</p><p>word two</p>",
        f"{'<div>' * 5000}word one word two{'</div>' * 5000}",
        f"<p>word one</p>{'<b>' * 400}word two{'</b>' * 400}",
    ],
    ids=["open", "crossed", "entity", "bracket", "twice", "control", "doctype", "deep", "deep marks"],
)
def test_what_is_broken_keeps_its_words(source: str) -> None:
    """As much as can be read, and no error."""
    text = markdown(source)
    assert "word one" in text
    assert "word two" in text


def test_nothing_outside_is_read() -> None:
    """An entity that names a file is not followed."""
    source = "<!DOCTYPE p [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><p>a &f; b</p>"
    assert "root:" not in markdown(source)


def test_the_same_text_gives_the_same_bytes() -> None:
    """Each time."""
    for source, _ in CASES.values():
        assert markdown(source) == markdown(source)
