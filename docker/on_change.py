"""Runs a command now and whenever a file of some folders changes: python3 on_change.py FOLDER… -- COMMAND…

For development, so it looks every two seconds rather than depend on a file system that tells of changes; those of
Docker Desktop do not.
"""

import subprocess
import sys
import time
from pathlib import Path

SECONDS_BETWEEN_LOOKS = 2


def look(folders: list[str]) -> dict[str, tuple[int, int]]:
    """Every file, with when it was changed and its size; what programs write beside the sources does not count."""
    seen = {}
    for folder in folders:
        for file in Path(folder).rglob("*"):
            if "__pycache__" in file.parts or {"target", "logs"} & set(file.relative_to(folder).parts):
                continue
            try:
                status = file.stat()
            except FileNotFoundError:  # removed since it was listed
                continue
            if not file.is_dir():
                seen[str(file)] = (status.st_mtime_ns, status.st_size)
    return seen


def main() -> None:
    """Goes on when the command fails: the next change may be its cure."""
    split = sys.argv.index("--")
    folders, command = sys.argv[1:split], sys.argv[split + 1 :]
    seen = None
    while True:
        if (now := look(folders)) != seen:
            changed = [file for file in now if seen is not None and seen.get(file) != now[file]]
            seen = now
            print(f"changed: {', '.join(changed) or 'at the start'}", flush=True)
            code = subprocess.run(command, check=False).returncode
            print("done" if code == 0 else f"failed ({code})", flush=True)
        time.sleep(SECONDS_BETWEEN_LOOKS)


if __name__ == "__main__":
    main()
