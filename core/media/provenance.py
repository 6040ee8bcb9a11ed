"""Mark a video as synthetic: a comment that players show, and XMP metadata.

Reads, writes: .mp4; gives what goes into a .png. The XMP names IPTC's type of digital source, which C2PA manifests use too.
Source: XMP Specification Part 3 (the box of an .mp4); IPTC Photo Metadata Standard, Digital Source Type.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from core.media.mp4 import append_uuid_box, uuid_box

if TYPE_CHECKING:
    from PIL.PngImagePlugin import PngInfo

COMMENT = "Synthetic: a picture was made to speak by talking-face; what it shows was never filmed."
CONSENT = "Only use a face or a voice whose owner has agreed."
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmp:CreatorTool="talking-face"
    Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}">
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">{COMMENT}</rdf:li></rdf:Alt></dc:description>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def mark_synthetic(path: str | Path) -> None:
    """Put the XMP into a finished .mp4. The comment is laid in by the encoder, see `core.media.video.encode`."""
    append_uuid_box(path, _XMP_UUID, XMP.encode())


def png_marks() -> "PngInfo":
    """The comment and the XMP as Pillow writes them into a .png: its `pnginfo`."""
    from PIL.PngImagePlugin import PngInfo
    about = PngInfo()
    about.add_text("Comment", COMMENT)
    about.add_itxt("XML:com.adobe.xmp", XMP)
    return about


def source_type(path: str | Path) -> str:
    """The type of digital source that the XMP of an .mp4 names, the last part of its address; empty without one."""
    found = re.search(rb'DigitalSourceType="[^"]*/(\w+)"', uuid_box(path, _XMP_UUID))
    return found[1].decode() if found else ""
