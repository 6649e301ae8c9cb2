"""The embedded runtime: Goldworks on one machine without Docker, from Python packages alone.

Only the standard library is imported here, so that `python3 -m runtime demo` works on a machine that has
nothing but Python and make. Everything it makes lives under one home directory (`var/`, or GOLDWORKS_HOME).
"""


class Fault(Exception):
    """What stops the runtime, told to the person at the terminal: the place, the fault and the way out."""
