"""Variables: from the environment, or from the file that it names."""

from pathlib import Path

import pytest
from variables import VariableMissing, variable


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_SECRET", raising=False)
    monkeypatch.delenv("SOME_SECRET_FILE", raising=False)


def test_a_value_wins_over_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SECRET", "said")
    monkeypatch.setenv("SOME_SECRET_FILE", "/nowhere")
    assert variable("SOME_SECRET") == "said"


def test_a_file_gives_its_content_without_the_last_line_break(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("kept ü\n", encoding="utf-8")
    monkeypatch.setenv("SOME_SECRET_FILE", str(tmp_path / "secret"))
    assert variable("SOME_SECRET") == "kept ü"


def test_a_file_that_is_not_there_or_is_empty_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    monkeypatch.setenv("SOME_SECRET_FILE", str(file))
    with pytest.raises(VariableMissing, match=r"SOME_SECRET_FILE: .*secret can't be read: No such file"):
        variable("SOME_SECRET")
    file.touch()
    with pytest.raises(VariableMissing, match=r"SOME_SECRET_FILE: .*secret is empty"):
        variable("SOME_SECRET")


def test_neither_is_told_with_both_names() -> None:
    with pytest.raises(
        VariableMissing, match="SOME_SECRET is not set\n  set SOME_SECRET or SOME_SECRET_FILE"
    ):
        variable("SOME_SECRET")
