"""Main module of every flow process: ``python -P -m catchment.local.engine`` in the pool's job template.

Nothing is imported at the top, because a child started by spawn or forkserver imports its parent's main
module again: with ``prefect.engine`` there, every parser child would take 0.85 s and 81 MB instead of 0.04 s
and 14 MB.
"""

if __name__ == "__main__":
    import runpy

    from catchment.core import startup
    from catchment.local.lifeline import follow_worker

    startup.starting()  # a tenth of the start, and a third of all that a short run costs
    follow_worker()
    runpy.run_module("prefect.engine", run_name="__main__")
