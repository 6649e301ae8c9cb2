"""Place: the name of a dataset and the pattern of its keys, by the names of some files."""

from pathlib import PurePath

import pytest

from data_ingestion.contract.pattern import Pattern, faults_of
from data_ingestion.draft.place import dataset_of, path_of


@pytest.mark.parametrize(
    ("names", "dataset", "path"),
    [
        (["list.csv"], "list", "list/**/*.csv"),
        (["list.csv.gz"], "list", "list/**/*.csv"),
        (["list.csv.zip"], "list", "list/**/*.csv.zip"),
        (["sales_2026-01.csv"], "sales", "sales/**/sales_{YYYY}-{MM}.csv"),
        (["sales_2026-01-31.csv"], "sales", "sales/**/sales_{YYYY}-{MM}-{DD}.csv"),
        (["20260131_sales.csv"], "sales", "sales/**/{YYYY}{MM}{DD}_sales.csv"),
        (["sales_2026-01.csv", "sales_2026-02.csv"], "sales", "sales/**/sales_{YYYY}-{MM}.csv"),
        (["sales_2026-01.csv.gz", "sales_2026-02.csv.gz"], "sales", "sales/**/sales_{YYYY}-{MM}.csv"),
        (["shop_a_2026-01.csv", "shop_b_2026-01.csv"], "shop", "shop/**/*{YYYY}-{MM}*.csv"),
        (["sales_2026-01.csv", "sales.csv"], "sales", "sales/**/*.csv"),
        (["sales_2026-01.csv", "sales_2026-01-31.csv"], "sales", "sales/**/*.csv"),
        (["list_2026-13.csv"], "list_2026_13", "list_2026_13/**/*.csv"),
        (["prices/2026-01.csv"], "prices", "prices/**/{YYYY}-{MM}.csv"),
        (["2026-01.csv"], "dataset", "dataset/**/{YYYY}-{MM}.csv"),
        (["what[1]_2026-01.csv"], "what_1", "what_1/**/*{YYYY}-{MM}*.csv"),
        (["a.csv", "b.txt"], "a", "a/**/*"),
    ],
)
def test_names_tell_the_dataset_and_the_pattern_of_its_keys(names, dataset, path):
    files = [PurePath(name) for name in names]
    assert (dataset_of(files), path_of(files, dataset)) == (dataset, path)
    assert list(faults_of(path)) == []
    assert all(Pattern(path).match(f"{dataset}/{file.name}") for file in files)
