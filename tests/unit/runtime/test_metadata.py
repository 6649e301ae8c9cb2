"""What metadata are prepared for."""

from pathlib import Path

import pytest

from runtime.metadata import fingerprint, postgres_url


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    file = tmp_path / "requirements.txt"
    file.write_text("one==1\n")
    return file


def test_packages_login_and_key_each_make_another_fingerprint(requirements: Path) -> None:
    prints = {
        fingerprint(requirements, "ann", "word", "key"),
        fingerprint(requirements, "bob", "word", "key"),
        fingerprint(requirements, "ann", "other", "key"),
        fingerprint(requirements, "ann", "word", "another"),
    }
    requirements.write_text("one==2\n")
    prints.add(fingerprint(requirements, "ann", "word", "key"))
    assert len(prints) == 5


def test_a_drivers_name_is_no_part_of_postgres_own_url() -> None:
    assert postgres_url("postgresql+psycopg2://ann:a%2Bb@db/x") == "postgresql://ann:a%2Bb@db/x"
    assert postgres_url("postgresql://db/x") == "postgresql://db/x"
