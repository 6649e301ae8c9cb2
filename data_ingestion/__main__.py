"""`goldworks`, and `python -m data_ingestion`: a process that starts quickly and does not last."""

from __future__ import annotations

import gc
import os


def main() -> None:
    """Runs the command line."""
    # Imports make a hundred thousand objects that stay; to look through them again and again takes a tenth of a second.
    gc.set_threshold(50_000)
    # Nothing here multiplies matrices, and the threads that numpy starts for it spin before they sleep.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from data_ingestion.cli import commands

    try:
        commands.main()
    finally:
        gc.freeze()  # nor is there anything to be found when it ends


if __name__ == "__main__":
    main()
