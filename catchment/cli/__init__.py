"""The `catchment` command."""

import gc

# A command lives for less than a second and makes its objects to keep them: looking for cycles among what
# was just imported, as often as the interpreter does by itself, is a tenth of its time.
gc.set_threshold(50_000, 20, 100)
