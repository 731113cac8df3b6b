"""What makes a process of ours start sooner, and work in several threads.

What a process imports lives as long as the process. Looking for garbage in it, as often as the interpreter
does by itself, takes a fifth of the time of a command. Asking every installed package for plugins of
pydantic takes another twentieth.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys

_STARTING = 300_000
_RUNNING = 50_000
_SWITCH_SECONDS = 0.0005
"""So long a thread that computes keeps the interpreter from one that comes back from a database or a socket.
By itself it would be 5 ms, ten times what most of those have to do then."""


def starting() -> None:
    """Hardly look for garbage while a process imports what it needs, about 100,000 objects, nor at exit.

    Plugins of pydantic stay out, unless ``PYDANTIC_DISABLE_PLUGINS`` says otherwise.
    """
    gc.set_threshold(_STARTING, 20, 100)
    atexit.register(gc.freeze)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def started() -> None:
    """Leave out all that exists now, and look once in 50,000 objects from here on.

    Threads hand each other the interpreter sooner than they would by themselves.
    """
    gc.freeze()
    gc.set_threshold(_RUNNING, 20, 100)
    sys.setswitchinterval(_SWITCH_SECONDS)
