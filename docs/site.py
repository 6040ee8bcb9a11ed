"""Pages of the site that stand at the root of the repository, with links that fit: a hook of MkDocs (mkdocs.yml).

Reads: README.md, MODEL_CARD.md, CONTRIBUTING.md, CHANGELOG.md, LICENSES.md. Writes: nothing; MkDocs writes results/site/.
"""

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGES = {"README.md": "index.md", "MODEL_CARD.md": "model-card.md", "CONTRIBUTING.md": "contributing.md",
         "CHANGELOG.md": "changelog.md", "LICENSES.md": "licences.md"}  # in the repository: on the site
_LINK = re.compile(r"\]\((?!https?:|#)(?:docs/|\.\./)?([^)#]*)([^)]*)\)")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def with_links_of_the_site(text: str) -> str:
    """Markdown of the repository with its links as the site has them; a file that is no page loses its link."""
    def link(match):
        path, anchor = match[1], match[2]
        if not path.endswith((".md", ".png", ".jpg", ".webp")):
            return "]"
        return f"]({PAGES.get(path, path)}{anchor})"

    code, out, at = list(_CODE.finditer(text)), [], 0
    for block in code:
        out += [_LINK.sub(link, text[at:block.start()]), block[0]]
        at = block.end()
    return "".join(out) + _LINK.sub(link, text[at:])


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that stand at the root."""
    from mkdocs.structure.files import File
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, **_unused: Any) -> str:
    """Give a page the site's links."""
    return with_links_of_the_site(markdown)
