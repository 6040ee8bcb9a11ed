"""Content credentials: signed with a person's own certificate where they ask for it, refused early where it cannot be."""

import base64
import importlib.machinery
import json
import shutil
import subprocess
import sys
import types

import numpy as np
import pytest
from conftest import command

from core import artifacts
from core.errors import InputError
from core.media.marks import credentials
from core.media.provenance import COMMENT, SOURCE_TYPE, source_type
from core.media.talking import write_talking
from core.media.video import probe
from render.options import RenderOptions
from render.render import check_output

OIDS = {"es256": "301306072a8648ce3d020106082a8648ce3d030107", "es384": "06052b81040022", "es512": "06052b81040023",
        "ed25519": "302e020100300506032b6570", "ps256": "300d06092a864886f70d0101010500"}


class FakeError(Exception):
    """What the package raises."""


@pytest.fixture
def package(monkeypatch):
    """A package that signs by putting its box at the end; a list of what it was told."""
    told = []

    class Builder:
        def __init__(self, manifest):
            told.append(manifest)

        def sign_file(self, source, target, signer):
            if signer[1] == b"-----BEGIN CERTIFICATE-----\nold":
                raise FakeError("Certificate: out of date\nmore")
            told.append(signer)
            shutil.copyfile(source, target)
            from core.media.mp4 import append_uuid_box
            append_uuid_box(target, credentials._BOX, b"claim")

    fake = types.ModuleType("c2pa")
    fake.__spec__ = importlib.machinery.ModuleSpec("c2pa", None)
    fake.Builder, fake.C2paError, fake.C2paSignerInfo = Builder, FakeError, lambda *info: info
    fake.Signer = types.SimpleNamespace(from_info=lambda info: info)
    monkeypatch.setitem(sys.modules, "c2pa", fake)
    return told


@pytest.fixture
def pair(tmp_path):
    """A certificate and a key of P-256, as far as they are looked at."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_text("-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n")
    write_key(key, "es256")
    return str(certificate), str(key)


def write_key(path, algorithm):
    content = base64.b64encode(bytes.fromhex(OIDS[algorithm])).decode()
    path.write_text(f"{credentials._BEGIN}\n{content}\n{credentials._END}\n")


def video(out, **how):
    frames = [np.full((64, 64, 3), k, np.uint8) for k in range(10)]
    return write_talking(out, frames, 10, fps=25, stage="test", captions="none", shown_words=[], heard=None, quality="low",
                         **how)


def test_a_video_is_signed_and_says_still_what_it_is(tmp_path, package, pair):
    out = video(tmp_path / "v.mp4", signed_by=pair)
    assert credentials.has_credentials(out) and source_type(out) and COMMENT.encode() in out.read_bytes()
    assert artifacts.check(out, "talking-video"), "its description is of the signed file"
    manifest, (algorithm, chain, private, time_of) = package
    assert (algorithm, time_of) == (b"es256", None) and b"CERTIFICATE" in chain and b"PRIVATE" in private
    [action] = manifest["assertions"][0]["data"]["actions"]
    assert action == {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE} and manifest["title"] == "v.mp4"
    json.dumps(manifest)


def test_without_being_asked_nothing_is_signed(tmp_path, package):
    assert not credentials.has_credentials(video(tmp_path / "v.mp4")) and not package and RenderOptions().sign is None


@pytest.mark.parametrize("algorithm", OIDS)
def test_the_key_tells_the_algorithm(tmp_path, package, pair, algorithm):
    write_key(tmp_path / "key.pem", algorithm)
    assert credentials.signer(*pair)[0] == algorithm


@pytest.mark.parametrize("name, content, found", [
    ("key.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMA==\n", "key.pem: no such key.*openssl pkcs8"),
    ("key.pem", f"{credentials._BEGIN}\n!!\n{credentials._END}", "key.pem: no such key"),
    ("key.pem", None, "key.pem: no such file"),
    ("cert.pem", "hello", "cert.pem: no certificate"), ("cert.pem", None, "cert.pem: no such file"),
    ("cert.pem", "x" * 100_001, "cert.pem: a large file")])
def test_what_cannot_sign_is_said_before_anything_is_made(tmp_path, package, pair, name, content, found):
    (tmp_path / name).unlink() if content is None else (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=found):
        check_output(tmp_path / "v.mp4", options=RenderOptions(sign=pair))


def test_a_certificate_that_is_refused_leaves_no_video(tmp_path, package, pair):
    (tmp_path / "cert.pem").write_text("-----BEGIN CERTIFICATE-----\nold")
    with pytest.raises(InputError, match=r"cert.pem: it does not sign \(Certificate: out of date\)"):
        video(tmp_path / "v.mp4", signed_by=pair)
    assert not list(tmp_path.glob("*.mp4*")) and not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", ["v.webm", "frames/", "-"])
def test_other_kinds_of_video_have_none(tmp_path, package, pair, name):
    with pytest.raises(InputError, match=r"--sign: of a .*\.mp4"):
        check_output(name if name == "-" else f"{tmp_path}/{name}", options=RenderOptions(sign=pair))


def test_without_the_package_its_command_is_said(tmp_path, monkeypatch, pair):
    monkeypatch.setattr(credentials, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="--sign: c2pa-python is not installed.*pip install c2pa-python"):
        check_output(tmp_path / "v.mp4", options=RenderOptions(sign=pair))


def test_the_description_keeps_no_paths_of_keys(pair):
    made = RenderOptions(sign=pair, background="/home/me/sea.png").as_made()
    assert made["sign"] is True and made["background"] == "sea.png" and "/" not in json.dumps(made)


def test_inspect_says_it(tmp_path, package, pair):
    from viewer.inspect import main as inspect
    out = video(tmp_path / "v.mp4", signed_by=pair)
    done = command(inspect, out)
    assert done.exit_code == 0 and "C2PA" in done.stdout


def _made(folder):
    """A certificate of the kind that C2PA asks for, made by OpenSSL: it, the one that vouches for it, and the key."""
    lines = """ecparam -name prime256v1 -genkey -noout -out ca.key
req -x509 -new -key ca.key -days 9 -subj /O=Test/CN=CA -out ca.pem -addext keyUsage=critical,keyCertSign
ecparam -name prime256v1 -genkey -noout -out sec1.key
pkcs8 -topk8 -nocrypt -in sec1.key -out leaf.key
req -new -key leaf.key -subj /O=Test/CN=Leaf -out leaf.csr
x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 -extfile ext -out leaf.pem"""
    (folder / "ext").write_text("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                                "extendedKeyUsage=emailProtection\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    for line in lines.splitlines():
        subprocess.run(["openssl", *line.split()], cwd=folder, check=True, capture_output=True)
    chain = folder / "chain.pem"
    chain.write_text((folder / "leaf.pem").read_text() + (folder / "ca.pem").read_text())
    return str(chain), str(folder / "leaf.key")


def test_the_package_itself_signs_and_a_change_is_found(tmp_path):
    c2pa = pytest.importorskip("c2pa", reason="no C2PA: pip install c2pa-python")
    if not shutil.which("openssl"):
        pytest.skip("no OpenSSL")
    out = video(tmp_path / "v.mp4", signed_by=_made(tmp_path))
    assert probe(out).size == (64, 64) and source_type(out) and credentials.has_credentials(out)

    def wrong(path):
        with c2pa.Reader(str(path)) as reader:
            return {one["code"] for one in json.loads(reader.json()).get("validation_status", ())}

    assert wrong(out) <= {"signingCredential.untrusted"}
    content = bytearray(out.read_bytes())
    content[content.index(b"mdat") + 100] ^= 1
    out.write_bytes(content)
    assert "assertion.bmffHash.mismatch" in wrong(out)
