"""Small files: what the bench writes is what the contract reads, and what its limit copies."""

import csv
import json
from pathlib import Path

from bench.small_files import BAD_EVERY, Day, key_of
from data_ingestion.contract import read_contract

CONTRACT = read_contract(Path("contracts/fleet/vehicle_events.odcs.yaml"))


def test_each_second_has_a_file_that_the_contract_claims_for_that_second():
    assert CONTRACT.match(key_of(0)).period == "2026-03-02T00:00:00"
    assert CONTRACT.match(key_of(86_399)).period == "2026-03-02T23:59:59"


def test_the_limit_copies_the_records_of_the_files_and_each_is_written_once(tmp_path):
    Day(tmp_path, 5).write(0, BAD_EVERY)
    Day(tmp_path, 5).write(BAD_EVERY, 1)
    files = sorted((tmp_path / "landing").rglob("*.txt"), key=lambda path: int(path.stem.split("-")[-2]))
    told = []
    for path in files:
        for line in path.read_text().splitlines():
            data = json.loads(line)["data"]
            where = data["location"]
            told.append((where["at"], data["id"], f"{where['lat']:.5f}", f"{where['lng']:.5f}"))
    with (tmp_path / "records.csv").open(newline="") as file:
        copied = [tuple(row) for row in csv.reader(file)]
    assert len(files) == BAD_EVERY + 1
    assert sorted(told) == sorted(copied)
    assert len({(at, vehicle) for at, vehicle, *_ in told}) == 5 * (BAD_EVERY + 1)
    assert sum(float(latitude) > 90 for _, _, latitude, _ in told) == 1
