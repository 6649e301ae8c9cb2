"""The seed of random histories and kills: the gate repeats one, `make conformance` draws a new one and prints it."""

import os

SEED = int(os.environ.get("GOLDWORKS_SEED", "1"))
IS_GIVEN = "GOLDWORKS_SEED" in os.environ
