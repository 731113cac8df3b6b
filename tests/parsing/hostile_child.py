"""The parser process with readers that misbehave on purpose, told apart by the file's text."""

import os
import signal
import time

from catchment.parsing import child, kinds, registry
from catchment.parsing.reading import Reading, Source


class Panic(BaseException):
    """As Rust libraries raise it."""


_kept: list[bytearray] = []
_honest = registry.reader_for(kinds.TEXT)


def _reader(source: Source) -> Reading:
    order = source.body.strip()
    if order == b"hang":
        time.sleep(3600)
    elif order == b"segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif order == b"abort":
        os.abort()
    elif order == b"killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif order == b"eat":
        hoard = []
        while True:
            hoard.append(bytearray(16 * 1024 * 1024))
    elif order == b"panic":
        raise Panic("in a native library")
    elif order == b"pid":
        return Reading(str(os.getpid()))
    elif order == b"secrets":
        return Reading(" ".join(os.environ))
    elif order.startswith(b"keep "):
        _kept.append(bytearray(150 * 1024 * 1024))
    return _honest(source)


registry._readers[kinds.TEXT] = _reader
child.main()
