"""The guard against overwriting: what it refuses, in one place for every command that writes a file."""

import numpy as np
import pytest

from core import artifacts
from core.errors import InputError
from core.media.out.place import check_place

PNG = (".png",)


def refused(*arguments, **named):
    with pytest.raises(InputError) as told:
        check_place(*arguments, **named)
    return told.value


def test_a_file_of_somebody_else_is_kept_unless_forced(tmp_path):
    (path := tmp_path / "a.png").write_bytes(b"mine")
    error = refused(path, PNG, "avatar")
    assert error.found == "exists, and was not written by this tool" and error.cure == "--force to overwrite it"
    check_place(path, PNG, "avatar", force=True)
    check_place(tmp_path / "new.png", PNG, "avatar")


def test_what_this_tool_wrote_is_made_anew_where_a_kind_is_named(tmp_path):
    path = artifacts.save(tmp_path / "a.npy", np.zeros((68, 2), np.float32), "rest-face", stage="test")
    check_place(path, [".npy"], "rest-face")
    assert "not written by this tool" in str(refused(path, [".npy"], "head-motion"))
    assert refused(path, [".npy"]).found == "already there"


def test_inputs_folders_and_other_endings_are_refused_though_forced(tmp_path):
    (path := tmp_path / "a.png").write_bytes(b"mine")
    (link := tmp_path / "link.png").symlink_to(path)
    (folder := tmp_path / "folder.png").mkdir()
    assert refused(link, PNG, force=True, sources=(None, tmp_path / "no.png", path)).found == "one of the inputs"
    assert refused(folder, PNG, force=True).found == "a folder"
    assert refused(path / "b.png", PNG, force=True).found == f"{path} is a file"
    error = refused(tmp_path / "b.jpg", PNG, force=True, cure="b.png")
    assert (error.found, error.expected, error.cure) == ("a .jpg file", "a name that ends in .png", "b.png")
    assert refused(tmp_path / "b", PNG).found == "a nameless file"


def test_a_comic_never_takes_the_place_of_its_photo(tmp_path):
    from conftest import command, portrait
    from PIL import Image

    from avatar import translate
    Image.fromarray(portrait()).save(path := tmp_path / "me.png")
    before = path.read_bytes()
    done = command(translate.main, path, path, "--force")
    assert done.exit_code == 1 and "one of the inputs" in done.stderr and path.read_bytes() == before
