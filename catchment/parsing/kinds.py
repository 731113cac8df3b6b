"""The kinds of files that are told apart, and the names and content types they go by."""

from __future__ import annotations

from typing import Final

TEXT: Final = "text"
MARKDOWN: Final = "markdown"
CODE: Final = "code"
LINES: Final = "jsonl"
HTML: Final = "html"
XML: Final = "xml"
NOTEBOOK: Final = "ipynb"
MAIL: Final = "eml"
PDF: Final = "pdf"
RTF: Final = "rtf"
DOCX: Final = "docx"
PPTX: Final = "pptx"
SHEET: Final = "sheet"
ODT: Final = "odt"
ODP: Final = "odp"
DOC: Final = "doc"
PPT: Final = "ppt"
OUTLOOK: Final = "msg"
EPUB: Final = "epub"
ZIP: Final = "zip"
TAR: Final = "tar"
SQUEEZED: Final = "squeezed"
IMAGE: Final = "image"
AUDIO: Final = "audio"
VIDEO: Final = "video"
BINARY: Final = "binary"

TEXTUAL: Final = frozenset({TEXT, MARKDOWN, CODE, LINES, HTML, XML, NOTEBOOK, MAIL})
"""Kinds whose bytes are characters in some encoding."""

MEDIA: Final = frozenset({IMAGE, AUDIO, VIDEO})

_OFFICE = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."

# extension -> (kind, content type)
_EXTENSIONS: Final[dict[str, tuple[str, str]]] = {
    "txt": (TEXT, "text/plain"),
    "text": (TEXT, "text/plain"),
    "log": (TEXT, "text/plain"),
    "rst": (TEXT, "text/x-rst"),
    "adoc": (TEXT, "text/asciidoc"),
    "tex": (TEXT, "text/x-tex"),
    "srt": (TEXT, "application/x-subrip"),
    "vtt": (TEXT, "text/vtt"),
    "ics": (TEXT, "text/calendar"),
    "vcf": (TEXT, "text/vcard"),
    "csv": (TEXT, "text/csv"),
    "tsv": (TEXT, "text/tab-separated-values"),
    "tab": (TEXT, "text/tab-separated-values"),
    "md": (MARKDOWN, "text/markdown"),
    "markdown": (MARKDOWN, "text/markdown"),
    "mdx": (MARKDOWN, "text/markdown"),
    "mkd": (MARKDOWN, "text/markdown"),
    "html": (HTML, "text/html"),
    "htm": (HTML, "text/html"),
    "xhtml": (HTML, "application/xhtml+xml"),
    "xml": (XML, "application/xml"),
    "rss": (XML, "application/rss+xml"),
    "atom": (XML, "application/atom+xml"),
    "svg": (XML, "image/svg+xml"),
    "xsd": (XML, "application/xml"),
    "json": (CODE, "application/json"),
    "geojson": (CODE, "application/geo+json"),
    "yaml": (CODE, "application/yaml"),
    "yml": (CODE, "application/yaml"),
    "jsonl": (LINES, "application/jsonl"),
    "ndjson": (LINES, "application/jsonl"),
    "ipynb": (NOTEBOOK, "application/x-ipynb+json"),
    "eml": (MAIL, "message/rfc822"),
    "mht": (MAIL, "message/rfc822"),
    "mhtml": (MAIL, "message/rfc822"),
    "pdf": (PDF, "application/pdf"),
    "rtf": (RTF, "application/rtf"),
    "docx": (DOCX, _OFFICE + "wordprocessingml.document"),
    "docm": (DOCX, "application/vnd.ms-word.document.macroEnabled.12"),
    "dotx": (DOCX, _OFFICE + "wordprocessingml.template"),
    "pptx": (PPTX, _OFFICE + "presentationml.presentation"),
    "pptm": (PPTX, "application/vnd.ms-powerpoint.presentation.macroEnabled.12"),
    "ppsx": (PPTX, _OFFICE + "presentationml.slideshow"),
    "xlsx": (SHEET, _OFFICE + "spreadsheetml.sheet"),
    "xlsm": (SHEET, "application/vnd.ms-excel.sheet.macroEnabled.12"),
    "xlsb": (SHEET, "application/vnd.ms-excel.sheet.binary.macroEnabled.12"),
    "xls": (SHEET, "application/vnd.ms-excel"),
    "ods": (SHEET, _ODF + "spreadsheet"),
    "odt": (ODT, _ODF + "text"),
    "ott": (ODT, _ODF + "text-template"),
    "odp": (ODP, _ODF + "presentation"),
    "doc": (DOC, "application/msword"),
    "dot": (DOC, "application/msword"),
    "ppt": (PPT, "application/vnd.ms-powerpoint"),
    "pps": (PPT, "application/vnd.ms-powerpoint"),
    "msg": (OUTLOOK, "application/vnd.ms-outlook"),
    "epub": (EPUB, "application/epub+zip"),
    "zip": (ZIP, "application/zip"),
    "tar": (TAR, "application/x-tar"),
    "gz": (SQUEEZED, "application/gzip"),
    "tgz": (SQUEEZED, "application/gzip"),
    "bz2": (SQUEEZED, "application/x-bzip2"),
    "xz": (SQUEEZED, "application/x-xz"),
    "png": (IMAGE, "image/png"),
    "jpg": (IMAGE, "image/jpeg"),
    "jpeg": (IMAGE, "image/jpeg"),
    "gif": (IMAGE, "image/gif"),
    "bmp": (IMAGE, "image/bmp"),
    "webp": (IMAGE, "image/webp"),
    "tif": (IMAGE, "image/tiff"),
    "tiff": (IMAGE, "image/tiff"),
    "heic": (IMAGE, "image/heic"),
    "wav": (AUDIO, "audio/wav"),
    "mp3": (AUDIO, "audio/mpeg"),
    "m4a": (AUDIO, "audio/mp4"),
    "aac": (AUDIO, "audio/aac"),
    "ogg": (AUDIO, "audio/ogg"),
    "opus": (AUDIO, "audio/ogg"),
    "flac": (AUDIO, "audio/flac"),
    "mp4": (VIDEO, "video/mp4"),
    "mov": (VIDEO, "video/quicktime"),
    "mkv": (VIDEO, "video/x-matroska"),
    "webm": (VIDEO, "video/webm"),
    "avi": (VIDEO, "video/x-msvideo"),
}

_SOURCE_CODE: Final = (
    "py pyi pyx js mjs cjs ts tsx jsx java kt kts scala c h cc cpp cxx hpp hh cs go rs rb php swift m mm r "
    "jl lua pl pm sh bash zsh fish ps1 bat cmd sql proto thrift graphql gql toml ini cfg conf properties env "
    "gradle cmake mk css scss sass less vue svelte tf tfvars hcl nix clj cljs edn ex exs erl hs ml mli fs "
    "fsx vb dart zig asm s v sv vhd dockerfile makefile diff patch lock bib sol groovy awk sed el lisp scm"
)
_EXTENSIONS.update({name: (CODE, "text/plain") for name in _SOURCE_CODE.split() if name not in _EXTENSIONS})

BY_EXTENSION: Final[dict[str, str]] = {name: kind for name, (kind, _) in _EXTENSIONS.items()}

_BY_CONTENT_TYPE: Final[dict[str, str]] = {
    "application/xml": XML,
    "text/xml": XML,
    "application/json": CODE,
    "text/json": CODE,
    "application/x-yaml": CODE,
    "application/x-ndjson": LINES,
    "text/rtf": RTF,
    "application/x-gzip": SQUEEZED,
    "application/x-zip-compressed": ZIP,
    **{content_type: kind for kind, content_type in _EXTENSIONS.values() if content_type != "text/plain"},
}

_SAYS_NOTHING: Final = frozenset({"text/plain", "video/mp2t"})
"""Types that are stated of anything: tables of endings take every ``.ts``, so TypeScript too, for a film."""

_SAYS_MORE: Final[dict[str, frozenset[str]]] = {
    CODE: frozenset({LINES, NOTEBOOK}),
    ZIP: frozenset({DOCX, PPTX, SHEET, ODT, ODP, EPUB}),
}
"""Kinds that are written in another one: where that one is stated, an ending that says more is believed."""

_DEFAULT_CONTENT_TYPE: Final[dict[str, str]] = {
    TEXT: "text/plain",
    CODE: "text/plain",
    SHEET: _OFFICE + "spreadsheetml.sheet",
    SQUEEZED: "application/gzip",
    IMAGE: "application/octet-stream",
    AUDIO: "application/octet-stream",
    VIDEO: "application/octet-stream",
    BINARY: "application/octet-stream",
}
for _kind, _content_type in _EXTENSIONS.values():
    _DEFAULT_CONTENT_TYPE.setdefault(_kind, _content_type)


def extension(name: str) -> str:
    """The ending of a file name in lower case without its dot; the whole name where there is none."""
    tail = name.rpartition("/")[2]
    return tail.rpartition(".")[2].lower()


def kind_of_content_type(content_type: str | None) -> str | None:
    """The kind that a declared content type names, or None when it says nothing."""
    if not content_type:
        return None
    bare = content_type.partition(";")[0].strip().lower()
    kind = _BY_CONTENT_TYPE.get(bare)
    if kind is not None:
        return kind
    if bare.endswith("+xml"):
        return XML
    if bare.endswith("+json"):
        return CODE
    family = bare.partition("/")[0]
    return family if family in MEDIA else TEXT if family == "text" else None


def promised_kind(name: str, content_type: str | None) -> str | None:
    """The kind that a stated type and the ending of a name promise together, or None when neither says any.

    A title may end like a file that it is not, so the stated type counts before the ending, unless it says
    nothing (``text/plain``, ``application/octet-stream``, a type that nobody knows), or the ending says more.
    """
    ending = BY_EXTENSION.get(extension(name))
    stated = kind_of_content_type(content_type)
    if ending is None or stated is None:
        return ending or stated
    bare = (content_type or "").partition(";")[0].strip().lower()
    is_known = bare in _BY_CONTENT_TYPE or stated != TEXT
    if bare in _SAYS_NOTHING or not is_known or ending in _SAYS_MORE.get(stated, ()):
        return ending
    return stated


def content_type_of(kind: str, ending: str) -> str:
    """The content type of a kind; the ending decides between those that share a kind."""
    known = _EXTENSIONS.get(ending)
    if known is not None and known[0] == kind:
        return known[1]
    return _DEFAULT_CONTENT_TYPE[kind]
