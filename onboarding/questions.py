"""Questions: what a person decides, each with the answer that is likely right."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

NONE = "-"  # the answer that takes nothing of a list


@dataclass(frozen=True)
class Questions:
    """Asks on the terminal; with `takes_defaults` nobody is asked, and what was taken is said."""

    takes_defaults: bool = False

    def ask(self, question: str, default: str, fault: Callable[[str], str] = lambda answer: "") -> str:
        """An answer in which `fault` finds none; the default where nothing is typed. Asks until then."""
        while True:
            answer = self._read(f"{question} [{default}] ") or default
            told = fault(answer)
            if not told:
                return answer
            if self.takes_defaults:
                raise SystemExit(f"{question}: {told}")
            sys.stdout.write(f"  {told}\n")

    def choose(
        self, question: str, default: Sequence[str], among: Sequence[str], most: int = 99
    ) -> tuple[str, ...]:
        """Some of these names, parted by commas or blanks."""

        def fault(answer: str) -> str:
            chosen = _parted(answer)
            if unknown := [name for name in chosen if name not in among]:
                return f"{', '.join(unknown)}: not a column that can be taken here. There are: {', '.join(among)}"
            return f"at most {most}" if len(chosen) > most else ""

        return _parted(self.ask(question, ", ".join(default) or NONE, fault))

    def agrees(self, question: str) -> bool:
        """Whether the person says yes, which is the default."""
        answer = self.ask(question, "yes", lambda said: "" if said[:1].lower() in "yn" else "yes or no?")
        return answer[:1].lower() == "y"

    def _read(self, prompt: str) -> str:
        sys.stdout.write(prompt)
        sys.stdout.flush()
        if self.takes_defaults:
            sys.stdout.write("\n")
            return ""
        answer = sys.stdin.readline()
        if not sys.stdin.isatty():
            sys.stdout.write(answer if answer.endswith("\n") else "\n")
        return answer.strip()


def _parted(answer: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in answer.replace(",", " ").split() if name != NONE))
