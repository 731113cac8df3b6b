"""A hundred damaged files of each format: an answer for each, and none costs its neighbour."""

from __future__ import annotations

import gzip
import json
import random

import pytest

from catchment.core.documents import ParsedDocument, ParseRequest
from catchment.core.settings import ParseSettings
from catchment.parsing.process import ParserProcess

_MUTANTS = 100
_NEIGHBOUR = ParseRequest("neighbour.md", body=b"# Safe\n\nand sound")


def _p(words: str) -> str:
    return f"<w:p><w:r><w:t>{words}</w:t></w:r></w:p>"


def _seeds(made) -> dict[str, bytes]:
    table = "".join(f"<tr><td>{n}</td><td>word{n}</td></tr>" for n in range(30))
    mail = b'Subject: s\nFrom: a@x.test\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n\nbody\n--b\n'
    mail += (
        b'Content-Type: text/html; name="a.html"\nContent-Transfer-Encoding: base64\n\nPHA+aGk8L3A+\n--b--\n'
    )
    odt = (
        '<o:document-content xmlns:o="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:t="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><o:body><o:text><t:p>word</t:p></o:text></o:body>'
        "</o:document-content>"
    )
    slides = {"[Content_Types].xml": "<Types/>", "ppt/presentation.xml": "<p/>"}
    book = "<container><rootfile full-path='b'/></container>"
    zipped = made.zip({"a.md": "# A\n\ntext", "b.html": "<p>hi</p>", "c.json": "{}"})
    message = {"__properties_version1.0": b"", "__substg1.0_0037001F": "Subject".encode("utf-16-le")}
    workbook = bytes.fromhex("0908100000060500000000000000000000000000") + bytes(200)
    return {
        "pdf": made.pdf([[(20, "Head"), (10, "body of the page"), (10, "more")]] * 3),
        "docx": made.docx("".join(_p(f"paragraph {number}") for number in range(40))),
        "pptx": made.zip(slides),
        "xlsx": made.zip({"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"}),
        "xls": made.ole({"Workbook": workbook}),
        "odt": made.zip({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": odt}),
        "epub": made.zip(
            {"mimetype": "application/epub+zip", "META-INF/container.xml": book, "b": "<package/>"}
        ),
        "html": f"<html><head><title>t</title></head><body><h1>H</h1><table>{table}</table></body></html>".encode(),  # noqa: E501 - one XML line
        "xml": b'<?xml version="1.0"?><a><b c="d">text</b><e/>more &amp; more</a>',
        "eml": mail,
        "msg": made.ole(message),
        "doc": made.ole({"WordDocument": bytes(2048), "1Table": bytes(100)}),
        "ppt": made.ole({"PowerPoint Document": bytes.fromhex("0f00e803ff000000") + bytes(300)}),
        "rtf": rb"{\rtf1\ansi{\fonttbl{\f0 A;}}\pard Some {\b bold} \u1055? words\par}",
        "zip": zipped,
        "tar.gz": gzip.compress(zipped),
        "ipynb": json.dumps(
            {"cells": [{"cell_type": "code", "source": "x", "outputs": [{"text": "y"}]}]}
        ).encode(),
        "jsonl": b'{"a": 1}\n' * 20,
        "md": b"# A\n\n```\ncode\n```\n\n- list\n\n| a | b |\n| --- | --- |\n",
        "png": b"\x89PNG\r\n\x1a\n" + bytes(40),
        "wav": b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + bytes(40),
        "mp3": b"ID3\x03\0\0\0\0\0\0\xff\xfb\x90\x00" + bytes(400),
    }


def _mutant(seed: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, a stretch removed, doubled or blanked, or the end cut off."""
    body = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(body) + 1)
        stop = start + chance.choice([1, 4, 30])
        removed, noise = body[start:stop], chance.randbytes(stop - start)
        filler = chance.choice([b"\xff", b"\0", b"<"]) * len(removed)
        body[start:stop] = chance.choice([noise, b"", removed * 2, removed * 50, filler])
        if chance.random() < 0.2:
            del body[chance.randrange(len(body) // 2, len(body) + 1) :]
        if not body:
            break
    return bytes(body)


_KINDS = (
    *(
        "pdf",
        "docx",
        "pptx",
        "xlsx",
        "xls",
        "odt",
        "epub",
        "html",
        "xml",
        "eml",
        "msg",
        "doc",
        "ppt",
        "rtf",
        "zip",
    ),
    *("tar.gz", "ipynb", "jsonl", "md", "png", "wav", "mp3"),
)


@pytest.fixture(scope="module")
def parser():
    with ParserProcess(ParseSettings(seconds=10, memory_bytes=512 * 1024 * 1024)) as process:
        yield process


@pytest.mark.parametrize("ending", _KINDS)
def test_every_mutant_gets_an_answer_and_no_neighbour_pays(made, parser, ending):
    """Whatever the damage: a document or a failure with a reason, and the next document is right."""
    seed = _seeds(made)[ending]
    chance = random.Random(ending)
    requests = []
    for _ in range(_MUTANTS):
        requests += [ParseRequest(f"mutant.{ending}", body=_mutant(seed, chance)), _NEIGHBOUR]
    answers = list(parser.parse(requests))
    assert len(answers) == len(requests)
    for mutant, neighbour in zip(answers[::2], answers[1::2], strict=True):
        assert isinstance(mutant, ParsedDocument) or mutant.reason in {
            "broken",
            "encrypted",
            "empty_archive",
            "crashed",
        }
        assert isinstance(neighbour, ParsedDocument)
        assert neighbour.text == "# Safe\n\nand sound"
