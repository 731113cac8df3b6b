"""Rich text and the binary formats of old office programs, through xberg.

It is given bytes only (by address it would use the network) and no character recognition.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import xberg

from catchment.parsing import kinds
from catchment.parsing.charset import clean
from catchment.parsing.reading import Reading, Source, Unreadable

_CONFIG: Final = xberg.ExtractionConfig(
    disable_ocr=True,
    use_cache=False,
    output_format="markdown",
    escape_markdown=False,
    extraction_timeout_secs=None,
)


def read(source: Source) -> Reading:
    """The text as Markdown.

    Raises:
        Unreadable: Protected by a password (``encrypted``) or damaged (``broken``).
    """
    document = _extract(source)
    about = document.metadata
    authors = about.authors or []
    return Reading(
        clean(document.content or ""),
        is_markdown=True,
        title=about.title,
        author=", ".join(authors) or None,
        content_type=kinds.content_type_of(source.kind, source.kind),
    )


def _extract(source: Source) -> Any:
    request = xberg.ExtractInput(
        kind="bytes",
        bytes=source.body,
        mime_type=kinds.content_type_of(source.kind, source.kind),
        filename=f"document.{source.kind}",
    )
    try:
        result = asyncio.run(xberg.extract(request, _CONFIG))
    except (RuntimeError, ValueError, xberg.XbergError) as error:
        words = str(error).lower()
        if "password" in words or "encrypt" in words:
            raise Unreadable("encrypted", "The document is protected by a password.") from error
        raise Unreadable("broken", f"The file is not a readable {source.kind} document.") from error
    if not result.results:
        raise Unreadable("broken", f"The file is not a readable {source.kind} document.")
    return result.results[0]
