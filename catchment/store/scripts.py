"""Scripts and signs that the tokenizer of the index does not take as readers do, and what stands in for them.

The tokenizer takes a run of Chinese, Japanese or Thai as one word. With a space around every such character,
and a query treated alike and sent as a phrase, any part of a run is found. It also takes signs that are
younger than its tables (Unicode 6.1) for letters, and vowel points for the ends of words; here the first
become spaces, and the second go.
"""

from __future__ import annotations

import re
import unicodedata

# Scripts that write words without spaces between them: Thai, Lao, Myanmar, Khmer; kana, CJK
# ideographs with extensions and compatibility forms, Hangul; half-width kana.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff"
    "\u3100-\u312f\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff"
    "\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff"
)
_UNSPACED_CHARACTER = re.compile(f"([{_UNSPACED}][\u0300-\u036f\u3099\u309a]*)")
# Points that readers leave out: Hebrew and Arabic vowels, the Arabic stretching line; and signs that
# nobody sees inside a word: soft hyphen, word joiner, byte order mark.
_UNSEEN = (
    "\u00ad\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u2060\ufeff"
)
# Younger than Unicode 6.1 and no letters: currencies, isolates, technical signs, emoji. Without this
# the index knows no "job" in "Good job\U0001f923".
_GLUED = (
    "\u058d\u058e\u0605\u061c\u061d\u07fe\u07ff\u0888\u0890\u0891\u08e2\u09fd\u0a76\u0c77\u0c84\u0d4f"
    "\u1b7d\u1b7e\u2065-\u2069\u20ba-\u20cf\u218a\u218b\u23f4-\u23ff\u2427-\u243f\u2700\u2b4d-\u2bff"
    "\u2e3c-\u2e7f\u32ff\ua8fc\uab5b\uab6a\uab6b\ufbc2\ufd40-\ufd4f\ufdcf\ufdfe\ufdff"
    "\U0001cf50-\U0001cfc3\U0001d1de-\U0001d1ea\U0001d800-\U0001d9ff"
    "\U0001f000-\U0001f0ff\U0001f10d-\U0001fbef"
)
# The index folds accents of the Latin script only. Greek capitals carry none, and Russian writes
# its IO mostly as IE; a last sigma is a sigma.
_FOLDED = {"\u03c2": "\u03c3", "\u0451": "\u0435", "\u0401": "\u0415"} | {
    character: unicodedata.normalize("NFD", character)[0]
    for character in map(chr, (*range(0x386, 0x3CF), *range(0x1F00, 0x2000)))
    if re.fullmatch("[\u0391-\u03c9][\u0300-\u036f]+", unicodedata.normalize("NFD", character))
}
# Letters since Unicode 8 (vowels and tones of New Tai Lue, a sign of the Vedas). The index knows them as
# marks, and a mark alone is no word of it; letters for private use stand in for them, in text and query.
_FOLDED |= {
    chr(code): chr(0xE000 | code & 0xFFF) for code in (*range(0x19B0, 0x19C1), 0x19C8, 0x19C9, 0x1CF2, 0x1CF3)
}
_FOLDABLE = re.compile(f"[{''.join(_FOLDED)}]")
_UNSEEN_SIGNS = re.compile(f"[{_UNSEEN}]+")
_GLUED_SIGNS = re.compile(f"[{_GLUED}]+")


def respaced(text: str) -> str:
    """Do what `catchment.store.words.spaced` promises, with a text that needs it."""
    text = _GLUED_SIGNS.sub(" ", _UNSEEN_SIGNS.sub("", text))
    text = _FOLDABLE.sub(lambda match: _FOLDED[match[0]], text)
    return _UNSPACED_CHARACTER.sub(r" \1 ", text)


def stands_alone(character: str) -> bool:
    """Do what `catchment.store.words.is_unspaced` promises."""
    return _UNSPACED_CHARACTER.match(character) is not None
