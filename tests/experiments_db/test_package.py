"""Packages that are made to hurt: nothing of them is unpacked beyond what they may have."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from experiments_db.package import MANIFEST, Limits, PackageError, Writer, open_package

LIMITS = Limits({"small.json": 1 << 20, "large.jsonl": 1 << 30})


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A small package that is in order."""
    path = tmp_path / "sound.organon"
    with path.open("wb") as file:
        writer = Writer(file, {"kind": "test", "format": 1})
        writer.json("small.json", {"b": 1, "a": [0.1, None, "µ"]})
        assert writer.lines("large.jsonl", ({"line": number} for number in range(1000))) == 1000
        writer.close(more=True)
    return path


def refused(path: Path, says: str) -> None:
    with pytest.raises(PackageError, match=says), open_package(path, "test", LIMITS):
        pass


def with_members(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "."), content)
    return path


def test_what_was_written_is_read(sound: Path) -> None:
    with open_package(sound, "test", LIMITS) as package:
        assert package.names == {"small.json", "large.jsonl"}
        assert list(package.json("small.json")) == ["b", "a"]  # keys stay in their order
        assert [entry["line"] for entry in package.lines("large.jsonl")] == list(range(1000))
        assert package.manifest["more"] is True
    refused_kind = pytest.raises(PackageError, match="another kind")
    with refused_kind, open_package(sound, "other", LIMITS):
        pass


def test_the_same_content_is_the_same_file(tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        with (tmp_path / name).open("wb") as file:
            writer = Writer(file, {"kind": "test", "format": 1})
            writer.json("small.json", {"a": 1})
            writer.close()
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1]


def test_bombs_are_not_unpacked(tmp_path: Path, sound: Path) -> None:
    """By ratio, by size, by number of members, by a member twice, by a size that the directory does not tell."""
    path = tmp_path / "bomb"
    refused(with_members(path, large__jsonl=b"\0" * 50_000_000), r"unpacks to [\d,]+ times its size, and 200 times")
    refused(with_members(path, small__json=os.urandom(1_100_000)), r"has 1,100,000 bytes, and 1,048,576 are the most")
    refused(with_members(path, **{f"n{number}": b"{}" for number in range(50)}), "it has 50 members")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("small.json", b"{}")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("small.json", b"{}")
    refused(path, r"small\.json twice")
    content = bytearray(sound.read_bytes())
    place = content.index(b"PK\x01\x02")  # the first entry of the directory: its uncompressed size is 24 bytes on
    content[place + 24 : place + 28] = (10).to_bytes(4, "little")
    path.write_bytes(content)
    refused(path, "damaged on its way|not what its manifest says")


@pytest.mark.parametrize("name", ["../evil.json", "/etc/passwd", "small.json/../../x", "C:\\\\x", "small.json\n"])
def test_a_name_that_is_not_known_is_refused(tmp_path: Path, name: str) -> None:
    refused(with_members(tmp_path / "path", **{name: b"{}", MANIFEST: b"{}"}), "which no package of this kind has")


def test_other_ways_of_packing_are_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as file:
        file.writestr(MANIFEST, b"{}")
    (tmp_path / "lzma").write_bytes(buffer.getvalue())
    refused(tmp_path / "lzma", "another method than deflate")


def test_every_changed_byte_of_a_member_is_noticed(tmp_path: Path, sound: Path) -> None:
    """The checksum covers each member; what is not covered is refused as broken, or changes nothing that is read."""
    with open_package(sound, "test", LIMITS) as package:
        wanted = (package.json("small.json"), list(package.lines("large.jsonl")))
    whole = sound.read_bytes()
    noticed = 0
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        path = tmp_path / "damaged"
        path.write_bytes(damaged)
        try:
            with open_package(path, "test", LIMITS) as package:
                assert (package.json("small.json"), list(package.lines("large.jsonl"))) == wanted
        except PackageError:
            noticed += 1
    assert noticed > 0.8 * len(range(0, len(whole), 7))


@pytest.mark.parametrize("manifest", [b"[]", b"{", b"\xff", b"null", b'{"kind": "test", "format": "1"}'])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, manifest: bytes) -> None:
    refused(with_members(tmp_path / "none", **{MANIFEST: manifest}), "is not JSON|another kind")
