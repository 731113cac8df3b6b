"""Feeds of every format as they are found in the wild: what is read out of them, and what is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

from connectors.rss.formats import read_document
from connectors.rss.model import BrokenFeed, Document, Entry, NoFeed

BASE = "https://blog.example/d/feed.xml"
ATOM = 'xmlns="http://www.w3.org/2005/Atom"'


def parsed(text: str | bytes, content_type: str = "application/xml", base: str = BASE) -> Document:
    """Read a feed."""
    return read_document(text.encode() if isinstance(text, str) else text, content_type, base)


def rss(items: str, head: str = '<?xml version="1.0"?>') -> str:
    """A feed of RSS 2.0."""
    return f'{head}<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>' + (
        f"<title>T</title>{items}</channel></rss>"
    )


def only(document: Document) -> Entry:
    """The one entry of a feed."""
    (entry,) = document.entries
    return entry


class TestFormats:
    def test_rss_with_everything(self) -> None:
        """The long text before the short one; names, categories, files, dates in UTC."""
        entry = only(
            parsed(
                rss(
                    "<item><guid isPermaLink='false'>g1</guid><title>A &amp;lt;b&amp;gt; &amp;amp; c</title>"
                    "<link>https://blog.example/1</link><description>short</description>"
                    "<content:encoded><![CDATA[<p>The <b>long</b> text</p>]]></content:encoded>"
                    "<author>ann@example.org (Ann)</author><category>x</category><category>y</category>"
                    "<pubDate>Mon, 02 Jun 2025 10:00:00 +0200</pubDate>"
                    "<enclosure url='/a.mp3' type='audio/mpeg' length='1'/></item>"
                )
            )
        )
        assert (entry.guid, entry.title, entry.link) == ("g1", "A <b> & c", "https://blog.example/1")
        assert entry.html == "<p>The <b>long</b> text</p>"
        assert (entry.author, entry.tags) == ("ann@example.org (Ann)", ("x", "y"))
        assert entry.published == 1_748_851_200.0
        assert [(one.url, one.content_type) for one in entry.enclosures] == [
            ("https://blog.example/a.mp3", "audio/mpeg")
        ]

    def test_atom_with_bases_types_and_a_next_page(self) -> None:
        """xml:base inside of xml:base, XHTML, plain text, and a picture that is no text."""
        document = parsed(
            f'<feed {ATOM} xml:base="https://base.example/x/"><title type="html">T &amp;amp; U</title>'
            '<link rel="next" href="?page=2"/>'
            '<entry xml:base="sub/"><id>tag:1</id><link href="a"/><title>One</title>'
            '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>one</p></div></content>'
            "<updated>2025-01-01T00:00:00+02:00</updated></entry>"
            '<entry><id>tag:2</id><content type="text">a &lt; b\n\nc</content><summary>s</summary></entry>'
            '<entry><id>tag:3</id><content type="image/png">AA</content><summary>the words</summary></entry>'
            "</feed>"
        )
        one, two, three = document.entries
        assert (document.title, document.older) == ("T & U", "https://base.example/x/?page=2")
        assert (one.link, one.updated) == ("https://base.example/x/sub/a", 1_735_682_400.0)
        assert "<p>one</p>" in one.html
        assert two.html == "<p>a &lt; b</p>\n<p>c</p>"
        assert (two.link, three.html) == ("", "<p>the words</p>")

    def test_rdf_and_old_versions(self) -> None:
        """RSS 1.0 with its items outside of the channel, and 0.91 with Netscape's document type."""
        rdf = (
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
            '<channel rdf:about="x"><title>R</title></channel><item rdf:about="https://a.example/1">'
            "<title>One</title><link>https://a.example/1</link><description>text</description></item></rdf:RDF>"
        )
        assert (only(parsed(rdf)).title, only(parsed(rdf)).link) == ("One", "https://a.example/1")
        old = (
            '<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" '
            '"http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel>'
            "<title>N</title><item><title>Caf&eacute;</title><link>http://a.example/2</link></item></channel></rss>"
        )
        assert only(parsed(old)).title == "Café"

    def test_json_feed_of_both_versions(self) -> None:
        """Numbers as identities, one author or several, HTML or plain text, a next page."""
        document = parsed(
            json.dumps(
                {
                    "version": "https://jsonfeed.org/version/1.1",
                    "title": "J",
                    "next_url": "/feed.json?p=2",
                    "items": [
                        {
                            "id": 7,
                            "url": "1",
                            "content_html": "<p>x</p>",
                            "authors": [{"name": "A"}, {"name": "B"}],
                        },
                        {
                            "id": "b",
                            "content_text": "one\n\ntwo <",
                            "author": {"name": "C"},
                            "tags": ["t", 3],
                        },
                        "nonsense",
                        {"title": "bare", "attachments": [{"url": "m.mp3", "mime_type": "audio/mpeg"}, 1]},
                    ],
                }
            ),
            "application/feed+json",
        )
        one, two, bare = document.entries
        assert (document.older, one.guid, one.link) == (
            "https://blog.example/feed.json?p=2",
            "7",
            "https://blog.example/d/1",
        )
        assert (one.author, two.author, two.tags) == ("A, B", "C", ("t",))
        assert two.html == "<p>one</p>\n<p>two &lt;</p>"
        assert (bare.guid, bare.enclosures[0].url) == ("", "https://blog.example/d/m.mp3")

    def test_a_tombstone_is_one_only_outside_of_texts(self) -> None:
        """Somebody who writes one into an article removes nothing."""
        stone = '<at:deleted-entry xmlns:at="http://purl.org/atompub/tombstones/1.0" ref="tag:%s"/>'
        document = parsed(
            f"<feed {ATOM}><title>T</title>{stone % 9}<entry><id>tag:1</id><content type='html'>"
            f"<![CDATA[{stone % 1}]]></content>{stone % 2}</entry></feed>"
        )
        assert document.removed == ["tag:9"]


class TestIdentity:
    def test_a_relative_guid_does_not_change_with_the_server(self) -> None:
        """Some write a bare number without saying that it is no address; it is no link, either."""
        feed = rss("<item><guid>123</guid><title>x</title></item>")
        for base in (BASE, "https://moved.example/elsewhere/feed"):
            entry = only(parsed(feed, base=base))
            assert (entry.guid, entry.link) == ("123", "")

    def test_a_guid_that_is_an_address_is_the_link(self) -> None:
        """Where there is no other."""
        entry = only(parsed(rss("<item><guid>https://a.example/1</guid><title>x</title></item>")))
        assert entry.guid == entry.link == "https://a.example/1"

    def test_links_of_other_kinds_are_none(self) -> None:
        """Nobody is sent to a script, a file or a mailbox."""
        for link in ("javascript:alert(1)", "file:///etc/passwd", "mailto:a@b.example", "http://[::"):
            entry = only(parsed(rss(f"<item><guid isPermaLink='false'>1</guid><link>{link}</link></item>")))
            assert entry.link == ""


class TestEncodings:
    @pytest.mark.parametrize(
        ("charset", "declared", "header"),
        [
            ("utf-8", "utf-8", "text/xml"),
            ("windows-1251", "windows-1251", "text/xml"),
            ("koi8-r", "koi8-r", "application/rss+xml; charset=utf-8"),
            ("windows-1251", "", "text/xml; charset=windows-1251"),
            ("utf-8", "iso-8859-1", "text/xml; charset=us-ascii"),
            ("utf-16", "utf-16", "application/xml"),
            ("utf-16-le", "utf-16", "application/xml"),
            ("utf-16-be", "utf-16", "application/xml"),
            ("utf-8-sig", "", "text/html"),
        ],
    )
    def test_the_text_is_read_whatever_is_declared(self, charset: str, declared: str, header: str) -> None:
        """By what the bytes are, then by what document and server say of them."""
        head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
        text = rss("<item><title>Паводок</title></item>", head)
        assert only(parsed(text.encode(charset), header)).title == "Паводок"

    def test_iso_2022_jp_looks_like_ascii_and_is_not(self) -> None:
        """It is believed where it is declared."""
        text = rss("<item><title>水門</title></item>", '<?xml version="1.0" encoding="iso-2022-jp"?>')
        assert only(parsed(text.encode("iso-2022-jp"))).title == "水門"

    @pytest.mark.parametrize("trap", ["raw_unicode_escape", "punycode", "rot13", "no-such-thing"])
    def test_a_declaration_that_is_a_trap_is_not_followed(self, trap: str) -> None:
        """Python has encodings that are no charsets, and some take hours for long texts."""
        text = rss("<item><title>caf\xe9 \\u0041</title></item>", f'<?xml version="1.0" encoding="{trap}"?>')
        assert only(parsed(text.encode("latin-1"))).title == "caf\xe9 \\u0041"

    def test_characters_that_no_xml_may_hold_are_left_out(self) -> None:
        """The rest stays sound."""
        document = parsed(rss("<item><title>a\x0b\x00b</title></item>"))
        assert (only(document).title, document.sound) == ("ab", True)


class TestBroken:
    def test_one_that_is_not_well_formed_is_read_and_not_trusted(self) -> None:
        """Most readers show it; what it holds may be more than what is read."""
        document = parsed(rss("<item><title>a&nbsp;b</title><description>x & y</description></item>"))
        assert only(document).title == "a b"
        assert not document.sound

    @pytest.mark.parametrize("end", ["</rss>", "</channel></rss>", "</item></channel></rss>"])
    def test_one_that_breaks_off_is_not_read(self, end: str) -> None:
        """Half of a text would take the place of a whole one."""
        whole = rss("<item><title>a</title></item>")
        with pytest.raises(BrokenFeed):
            parsed(whole.removesuffix(end))
        assert parsed(f"{whole}\n<!-- 12 queries, 0.3 s -->\n").entries

    @pytest.mark.parametrize("body", [b"", b"  \n", b'{"version": "https://jsonfeed.org/version/1", "ite'])
    def test_nothing_and_half_of_json_may_come_whole_another_time(self, body: bytes) -> None:
        """So it is asked for again, and never taken for a feed without entries."""
        with pytest.raises(BrokenFeed):
            parsed(body)

    def test_what_stands_in_front_is_passed_over(self) -> None:
        """Blank lines, comments, and the warnings of a program."""
        for junk in ("\n\n", "Warning: undefined index in /feed.php on line 3\n", "<!-- <rss> -->"):
            head = junk if junk.startswith("<") else f'{junk}<?xml version="1.0"?>'
            assert only(parsed(rss("<item><title>a</title></item>", head))).title == "a"

    @pytest.mark.parametrize(
        ("body", "what"),
        [
            ("<!DOCTYPE html><html><head></head><body>Sign in</body></html>", "a web page"),
            ('<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"></html>', "a web page"),
            ("<urlset></urlset>", "XML of another kind"),
            ('{"error": "not found"}', "JSON of another kind"),
            ("Not here.", "neither XML nor JSON"),
            ("<", "no XML"),
        ],
    )
    def test_what_is_no_feed_is_called_by_its_name(self, body: str, what: str) -> None:
        """It is never taken for a feed without entries."""
        with pytest.raises(NoFeed) as caught:
            parsed(body)
        assert what in caught.value.what

    def test_a_web_page_names_its_feeds(self) -> None:
        """With their titles, in any order of attributes, relative or not."""
        page = (
            "<html><head><link title='News &amp; more' href='/feed' type='application/rss+xml' rel=alternate>"
            '<link rel="stylesheet alternate" type="application/atom+xml" href="https://o.example/atom">'
            '<link rel="alternate" type="text/html" href="/de"><link rel="alternate" href="/fr">'
            '<link rel="alternate" type="application/rss+xml" href="javascript:x"></head></html>'
        )
        with pytest.raises(NoFeed) as caught:
            parsed(page)
        assert caught.value.feeds == (
            ("https://blog.example/feed", "News & more"),
            ("https://o.example/atom", ""),
        )


LAUGHS = [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)]
BOMBS = {
    "a billion laughs": f'<!DOCTYPE rss [<!ENTITY l0 "lol">{"".join(LAUGHS)}]>',
    "in lines": "\n".join(["<!DOCTYPE rss [", '<!ENTITY l0 "lol">', *LAUGHS, "]>"]),
    "one long entity": f'<!DOCTYPE rss [\n<!ENTITY l9 "{"x" * 8000}">\n]>',
    "two document types": f'<!DOCTYPE a><!DOCTYPE rss [\n<!ENTITY l9 "{"x" * 8000}">\n]>',
    "behind a comment": f'<!-- <rss> --><!DOCTYPE rss [<!-- > \' -->\n<!ENTITY l9 "{"x" * 8000}">]>',
    "by parameters": "<!DOCTYPE rss [<!ENTITY % a \"<!ENTITY l9 'xxxx'>\">%a;]>",
}


class TestTraps:
    @pytest.mark.parametrize("name", BOMBS)
    @pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
    def test_entities_are_never_expanded(self, name: str, charset: str) -> None:
        """Not those that a feed declares; a thousand of them stay a thousand names."""
        item = f"<item><title>t</title><description>{'&l9;' * 1000}</description></item>"
        text = rss(item, f'<?xml version="1.0" encoding="{charset}"?>{BOMBS[name]}')
        entry = only(parsed(text.encode(charset)))
        assert len(entry.html) < 10_000
        assert "lol" not in entry.html
        assert "xxx" not in entry.html

    @pytest.mark.parametrize("system", ["file://{path}", "http://127.0.0.1:9/secret"])
    def test_nothing_outside_is_read(self, tmp_path: Path, system: str) -> None:
        """Neither a file of this machine nor an address."""
        secret = tmp_path / "secret"
        secret.write_text("canary")
        doctype = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{system.format(path=secret)}">]>'
        entry = only(parsed(rss("<item><title>a&x;b</title></item>", doctype)))
        assert "canary" not in entry.title

    @pytest.mark.parametrize(
        "body",
        [
            "<rss><channel><item>" + "<x>" * 100_000 + "</x>" * 100_000 + "</item></channel></rss>",
            "<rss><channel><item><title>" + "<" * 200_000 + "</title></item></channel></rss>",
            "<rss><channel><item>" + "<a b='" * 10_000 + "</item></channel></rss>",
            "<rss><channel><item><description>"
            + "&lt;div&gt;" * 100_000
            + "</description></item></channel></rss>",
            "<!--" * 50_000 + "<rss></rss>",
            "<!DOCTYPE rss [" + "<!--" * 50_000 + "<rss></rss>",
            "<rss><channel>" + "<item><script " * 10_000 + "</channel></rss>",
            "<feed><entry>" + "<x xml:base='a/'>" * 20_000 + "</x>" * 20_000 + "</entry></feed>",
            "<feed><entry>" + "<x xml:base='a/'>" * 20_000 + "</entry></feed>",
            "[" * 100_000,
            '{"version": "https://jsonfeed.org/version/1", "items": ' + "[" * 100_000,
            "<html>" + "<link rel=" * 50_000,
        ],
        ids=range(12),
    )
    def test_hostile_ones_end_in_an_answer(self, body: str) -> None:
        """Whatever it is, and none takes the process along."""
        with suppress(BrokenFeed, NoFeed):
            parsed(body)

    def test_bases_inside_of_bases_are_refused(self) -> None:
        """Some are fine; a thousand take gigabytes to resolve. Where nobody can tell, there are none."""

        def nested(levels: int, begin: str = "") -> str:
            inner = "<x xml:base='a/'>" * levels + "<link href='z'/>" + "</x>" * levels
            return (
                f"<feed {ATOM} xml:base='https://b.example/'>{begin}<entry><id>1</id>{inner}</entry></feed>"
            )

        assert only(parsed(nested(2))).link == "https://b.example/a/a/z"
        with pytest.raises(NoFeed, match="nested"):
            parsed(nested(40))
        assert only(parsed(nested(40, "&nbsp;"))).link == "https://blog.example/d/z"
