"""Content credentials (C2PA) in a finished .mp4: who made it, that it is synthetic, and a signature that any change breaks.

Reads: a certificate (PEM, those that vouch for it below it) and its private key. Writes: the .mp4, signed.
Sources: C2PA Technical Specification 2.1; the package c2pa-python, which is installed for this alone.
"""

import base64
import binascii
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from core.errors import InputError, absent
from core.files import whole_file
from core.media.mp4 import uuid_box
from core.media.provenance import SOURCE_TYPE

MOST_KEY_BYTES = 100_000
_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # of an .mp4, that holds the credentials
_BEGIN, _END = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
_KINDS = {"es256": "2a8648ce3d030107", "es384": "2b81040022", "es512": "2b81040023", "ed25519": "06032b6570",
          "ps256": "2a864886f70d010101"}  # algorithm -> what names its keys in a file: P-256, P-384, P-521, Ed25519, RSA
_KEY = "a private key: PEM of PKCS #8 without a password, of P-256, P-384, P-521, Ed25519 or RSA"


def _read(path, what):
    if not (path := Path(path)).is_file():
        raise InputError(path, absent(path), what)
    if path.stat().st_size > MOST_KEY_BYTES:
        raise InputError(path, "a large file", what)
    return path.read_bytes()


def _algorithm(path, key):
    text = key.decode("ascii", errors="replace")
    if _BEGIN in text and _END in text:
        with suppress(binascii.Error):
            content = base64.b64decode(text.partition(_BEGIN)[2].partition(_END)[0]).hex()
            if found := next((name for name, oid in _KINDS.items() if oid in content), ""):
                return found
    raise InputError(path, "no such key", _KEY, "openssl pkcs8 -topk8 -nocrypt -in old.key -out new.key")


def signer(certificate: str | Path, key: str | Path) -> tuple[str, bytes, bytes]:
    """The algorithm, the certificates and the key that sign, read and looked at.

    Raises
    ------
    InputError : the package is not installed, a file is missing, or is no certificate or no key.
    """
    if find_spec("c2pa") is None:
        raise InputError("--sign", "c2pa-python is not installed", "the package", "pip install c2pa-python")
    chain, private = _read(certificate, "a certificate, PEM"), _read(key, _KEY)
    if b"-----BEGIN CERTIFICATE-----" not in chain:
        raise InputError(certificate, "no certificate", "a certificate, PEM, and below it those that vouch for it")
    return _algorithm(key, private), chain, private


def sign(video: Path, certificate: str | Path, key: str | Path, name: str) -> None:
    """Put signed credentials into the .mp4 `video`, by which it is called `name`; nothing is fetched or sent.

    Raises
    ------
    InputError : as `signer`; or the certificate may not sign such things, does not fit the key, or is out of date.
    """
    algorithm, chain, private = signer(certificate, key)
    import c2pa
    made = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}
    manifest = {"claim_generator_info": [{"name": "talking-face"}], "title": name, "format": "video/mp4",
                "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [made]}}]}
    try:
        with whole_file(video) as part:
            c2pa.Builder(manifest).sign_file(video, part, c2pa.Signer.from_info(c2pa.C2paSignerInfo(
                algorithm.encode(), chain, private, None)))
    except c2pa.C2paError as error:
        raise InputError(certificate, f"it does not sign ({str(error).splitlines()[0][:120]})",
                         "a certificate for this key, in date, for digital signatures, that another one vouches for") from None


def has_credentials(path: str | Path) -> bool:
    """True when an .mp4 carries content credentials, whoever signed them."""
    return bool(uuid_box(path, _BOX))
