"""What `goldworks samples` tells of what it wrote."""

from goldworks_samples.cli.samples import MOST_SHOWN, in_sight
from goldworks_samples.drop import SampleDrop


def drops(folder: str, count: int) -> list[SampleDrop]:
    return [
        SampleDrop(f"{folder}/{number}.csv", 10, 1, "copies" if number < 2 else "") for number in range(count)
    ]


def test_few_drops_are_told_one_by_one():
    told = list(
        in_sight([SampleDrop("2026/01/a.csv", 1_000, 2, "3 late"), SampleDrop("2026/02/a.csv", 5, 0, "")])
    )
    assert [where for where, _ in told] == ["2026/01/a.csv", "2026/02/a.csv"]
    assert told[0][1].split() == ["1,000", "rows,", "2", "bad", "3", "late"]


def test_many_drops_of_a_folder_are_told_by_their_sum():
    many, few = drops("data", MOST_SHOWN + 1), drops("other", 2)
    where, told = next(iter(in_sight([*many, *few])))
    assert (where, told.strip()) == ("data/…", "510 rows, 51 bad  in 51 files, 2 copies")
    assert len(list(in_sight([*many, *few]))) == 3
