"""How often a process looks for cycles among its objects.

What a process imports lives as long as the process. Looking for garbage in it, as often as the interpreter
does by itself, takes a fifth of the time of a command.
"""

from __future__ import annotations

import atexit
import gc

_STARTING = 300_000
_RUNNING = 50_000


def starting() -> None:
    """Hardly look while a process imports what it needs, which makes about 100,000 objects, nor at exit."""
    gc.set_threshold(_STARTING, 20, 100)
    atexit.register(gc.freeze)


def started() -> None:
    """Leave out all that exists now, and look once in 50,000 objects from here on."""
    gc.freeze()
    gc.set_threshold(_RUNNING, 20, 100)
