"""Unite: several files of one dataset make one draft, or are told why they can't."""

import pytest

from data_ingestion.contract import read_contract
from data_ingestion.draft.sample import read_sample
from data_ingestion.draft.unite import unite
from data_ingestion.draft.write import write_draft
from data_ingestion.errors import UsageFault


def united(folder, **files: str):
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content)
    return unite({name: read_sample(folder / f"{name}.csv") for name in files})


def columns_of(sample):
    return {name: texts.to_pylist() for name, texts in sample.columns.items()}


def test_rows_of_all_files_stand_under_their_headers_whatever_their_order(tmp_path):
    sample = united(tmp_path, first="id,note\n1,a\n", second="note,id\nb,2\n")
    assert (sample.rows, sample.files, sample.absent) == (2, 2, frozenset())
    assert columns_of(sample) == {"id": ["1", "2"], "note": ["a", "b"]}


def test_a_header_that_some_files_lack_may_be_absent(tmp_path):
    sample = united(tmp_path, first="id,old\n1,a\n", second="id,new\n2,b\n")
    assert columns_of(sample) == {"id": ["1", "2"], "old": ["a", None], "new": [None, "b"]}
    assert sample.absent == {"old", "new"}


def test_a_header_in_another_spelling_is_the_same_column(tmp_path):
    sample = united(tmp_path, first="Order ID,note\n1,a\n", second="order_id,note\n2,b\n")
    assert columns_of(sample) == {"Order ID": ["1", "2"], "note": ["a", "b"]}
    assert sample.spellings == {"Order ID": ("order_id",)}


def test_two_headers_of_one_file_are_two_columns_though_they_differ_in_case_alone(tmp_path):
    sample = united(tmp_path, first="id,ID\n1,2\n", second="id,ID\n3,4\n")
    assert columns_of(sample) == {"id": ["1", "3"], "ID": ["2", "4"]}


def test_a_type_is_found_over_all_files(tmp_path):
    sample = united(tmp_path, first="id,value\n1,7\n2,8\n3,9\n", second="id,value\n4,1.5\n5,2.5\n6,3\n")
    text = write_draft(sample, domain="shop", dataset="things", path="things/*.csv").text
    assert "numeric(18,2)" in text and "all 6 rows of 2 files" in text


def test_the_draft_says_what_differs_between_files_so_that_all_are_read(tmp_path):
    sample = united(tmp_path, first="Order ID,old\n1,a\n2,b\n3,c\n", second="order_id\n4\n5\n")
    target = tmp_path / "shop" / "things.odcs.yaml"
    target.parent.mkdir()
    target.write_text(write_draft(sample, domain="shop", dataset="things", path="things/*.csv").text)
    order_id, old = read_contract(target).columns
    assert order_id.headers == ("Order ID", "order_id")
    assert (order_id.may_be_absent, old.may_be_absent) == (False, True)


def test_files_that_are_read_in_different_ways_are_refused_by_name(tmp_path):
    with pytest.raises(UsageFault) as refused:
        united(tmp_path, first="id,note\n1,a\n", second="id;note\n2;b\n")
    assert "second: needs other settings than first: csv, delimiter ';' instead of csv\n" in str(
        refused.value
    )
    assert "a server for each" in str(refused.value)
