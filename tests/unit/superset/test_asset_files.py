"""Reading and packing the asset files."""

import io
import zipfile
from pathlib import Path

import pytest
import yaml
from asset_files import AssetError, Kind, pack, read_assets, unpack


def test_everything_lies_below_one_top_folder_of_the_archive(assets_copy: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(pack(assets_copy))) as archive:
        names = archive.namelist()
        metadata = yaml.safe_load(archive.read("assets/metadata.yaml"))
    assert {name.split("/")[0] for name in names} == {"assets"}
    assert metadata["type"] == "assets", "any other type makes Superset keep existing charts as they are"


def test_what_is_packed_is_what_is_read(assets_copy: Path) -> None:
    read = read_assets(assets_copy)
    packed = unpack(pack(assets_copy))
    assert {a.uuid: a.content for a in packed.all} == {a.uuid: a.content for a in read.all}


def test_no_database_file_holds_a_password(assets_copy: Path) -> None:
    for database in read_assets(assets_copy).of(Kind.DATABASE):
        uri = database.content["sqlalchemy_uri"]
        assert uri.split("@")[0].count(":") == 1, f"{uri} has a password"
        assert "password" not in database.content


def test_a_folder_that_holds_no_assets(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"no metadata\.yaml"):
        read_assets(tmp_path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("slice_name: [", "invalid YAML"),
        ("- a\n- b\n", "holds no mapping"),
        ("slice_name: A chart\nversion: 1.0.0\n", "uuid: is missing"),
        ("uuid: 1\nversion: 1.0.0\n", "slice_name: is missing"),
    ],
)
def test_a_file_that_is_no_asset_is_named(assets_copy: Path, content: str, complaint: str) -> None:
    (assets_copy / "charts" / "bad.yaml").write_text(content)
    with pytest.raises(AssetError, match=complaint) as fault:
        read_assets(assets_copy)
    assert str(fault.value).startswith("charts/bad.yaml: ")
