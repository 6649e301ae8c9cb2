"""Landing: a bucket and a folder show the same objects and never hand out another version than was seen."""

import hashlib
import os
import tempfile
from contextlib import closing
from pathlib import Path

import boto3
import pytest

from data_ingestion.errors import ObjectChanged, OperatorFault
from data_ingestion.landing import FolderLanding, S3Landing, hash_object, open_landing, open_store
from data_ingestion.pages import read


@pytest.fixture
def bucket(aws_endpoint, monkeypatch, request):
    for name, value in (("ENDPOINT_URL", aws_endpoint), ("ACCESS_KEY_ID", "k"), ("SECRET_ACCESS_KEY", "s"),
                        ("DEFAULT_REGION", "us-east-1")):  # fmt: skip
        monkeypatch.setenv(f"AWS_{name}", value)
    name = f"b-{abs(hash(request.node.name))}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture(params=["folder", "bucket", "folder in a bucket"])
def place(request, tmp_path):
    if request.param == "folder":
        return FolderLanding(tmp_path)
    name = request.getfixturevalue("bucket")
    return open_landing(f"s3://{name}/in" if "folder" in request.param else f"s3://{name}")


def test_objects_are_listed_under_a_folder_with_keys_relative_to_the_landing(place):
    for key in ("a/1.csv", "a/b/ü 2.csv", "c.csv"):
        place.write(key, key.encode())
    assert {item.key: item.size for item in place.list_objects()} == {
        "a/1.csv": 7,
        "a/b/ü 2.csv": 12,
        "c.csv": 5,
    }
    assert {item.key for item in place.list_objects("a/")} == {"a/1.csv", "a/b/ü 2.csv"}


def test_an_object_may_be_given_as_an_open_file(place, tmp_path):
    (tmp_path / "written").write_bytes(b"one\ntwo\n")
    with (tmp_path / "written").open("rb") as file:
        place.write("a/1.csv", file)
    with place.open(place.look("a/1.csv")) as stream:
        assert stream.read() == b"one\ntwo\n"


def test_an_open_object_can_be_closed_and_hashed(place):
    place.write("a.csv", b"one")
    with closing(place.open(place.look("a.csv"))) as stream:
        assert stream.read() == b"one"
    assert hash_object(place, place.look("a.csv")) == hashlib.sha256(b"one").digest()


def test_pages_are_read_from_a_folder_and_from_a_bucket(place):
    place.write("orders/open.html", b"<p>two orders</p>")
    assert read(place, "orders/open.html") == b"<p>two orders</p>"


def test_what_was_seen_is_what_is_read(place):
    place.write("a.csv", b"one")
    (seen,) = place.list_objects()
    with place.open(seen) as stream:
        assert stream.read() == b"one"
    assert place.look("a.csv").etag == seen.etag
    assert place.look("b.csv") is None


def test_another_version_is_noticed(place):
    place.write("a.csv", b"one")
    (seen,) = place.list_objects()
    place.write("a.csv", b"two!")
    with pytest.raises(ObjectChanged, match=r"a\.csv"):
        place.open(seen)


def test_an_object_that_is_gone_is_noticed(place):
    place.write("a.csv", b"one")
    (seen,) = place.list_objects()
    object.__setattr__(seen, "key", "b.csv")
    with pytest.raises(ObjectChanged):
        place.open(seen)


def test_a_file_that_grows_while_it_is_read_is_noticed(tmp_path):
    place = FolderLanding(tmp_path)
    place.write("a.csv", b"one")
    (seen,) = place.list_objects()
    with place.open(seen) as stream:
        stream.read(3)
        with (tmp_path / "a.csv").open("ab") as file:
            file.write(b"more")
        with pytest.raises(ObjectChanged):
            while stream.read(2):
                pass


def test_more_objects_than_a_page_are_all_listed(bucket):
    client = boto3.client("s3")
    for number in range(1005):
        client.put_object(Bucket=bucket, Key=f"{number:04}.csv", Body=b"x")
    assert sum(1 for _ in S3Landing(bucket).list_objects()) == 1005


def test_a_large_file_goes_to_a_bucket_in_parts(bucket):
    """One request takes no more than 5 GiB, which the first snapshot of a captured source may exceed."""
    place, content = S3Landing(bucket), bytes(range(256)) * (9 << 12)
    with tempfile.SpooledTemporaryFile(max_size=1 << 20) as file:
        file.write(content)
        file.seek(0)
        place.write("large.bin", file)
    (seen,) = place.list_objects()
    assert seen.etag.endswith("-2")
    with place.open(seen) as stream:
        assert stream.read() == content


def test_what_a_sender_has_not_finished_is_not_listed_nor_a_lock_file_of_excel(place):
    for key in ("a.csv.part", "b.tmp", ".hidden", "d/.x.csv", "d/~$book.xlsx", "~$book.xlsx"):
        place.write(key, b"x")
    assert list(place.list_objects()) == []


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://", "no bucket"),
        ("ftp://host/x", "ftp:// is not supported"),
        ("/no/such/folder", "no such folder"),
        ("file://host/x", "three slashes"),
    ],
)
def test_a_landing_that_cannot_be_is_refused_with_the_way_out(url, message):
    with pytest.raises(OperatorFault, match=message) as refused:
        open_landing(url)
    assert "\n  " in str(refused.value)


@pytest.mark.parametrize("url", ["s3://key:secret@bucket", "ftp://ana:secret@host/x"])
def test_a_landing_with_a_login_in_it_is_refused_and_not_shown(url):
    with pytest.raises(OperatorFault, match="holds a login") as refused:
        open_landing(url)
    assert "secret" not in str(refused.value)


def test_a_bucket_that_is_not_there_says_so(bucket):
    with pytest.raises(OperatorFault, match="make the bucket"):
        list(S3Landing(f"{bucket}-missing").list_objects())


@pytest.mark.parametrize("endpoint", ["nonsense", "http://"])
def test_an_endpoint_that_is_no_address_is_the_operators(monkeypatch, endpoint):
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(OperatorFault, match="AWS_ENDPOINT_URL"):
        list(open_landing("s3://bucket").list_objects())


def test_what_was_deleted_is_gone_and_deleting_it_again_does_nothing(place):
    place.write("a/1.csv", b"x")
    place.write("a/2.csv", b"y")
    for _ in range(2):
        place.delete("a/1.csv")
    assert [item.key for item in place.list_objects()] == ["a/2.csv"]


def test_a_folder_that_is_to_be_written_to_is_made(tmp_path):
    store = open_store((tmp_path / "lake" / "warehouse").as_uri())
    store.write("a", b"x")
    assert store.look("a")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OperatorFault, match="can't be made"):
        open_store(str(tmp_path / "file" / "lake"))


def test_what_can_not_be_had_again_is_on_the_disk_before_it_is_said_to_be_there(tmp_path, monkeypatch):
    done, fsync, replace = [], os.fsync, Path.replace

    def synced(descriptor):
        done.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", lambda path, to: (done.append("named"), replace(path, to)))
    landing = FolderLanding(tmp_path)
    landing.write("a/b/1.csv", b"1", lasting=True)
    folder = landing.root / "a" / "b"
    assert done == [folder / ".1.csv.part", "named", folder, landing.root / "a", landing.root]
    landing.write("a/b/2.csv", b"2")  # samples and the like cost no such waiting
    assert done[5:] == ["named"]


def test_a_file_that_can_not_be_written_is_told_by_its_path(tmp_path):
    (tmp_path / "a").write_text("no folder")
    with pytest.raises(OperatorFault, match=r"a/1\.csv: can't be written"):
        FolderLanding(tmp_path).write("a/1.csv", b"1")
