"""What an HTML page consists of, and what is wrong with it, by the standard library's parser."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Page(HTMLParser):
    """Elements of a page: (tag, attributes), visible text, and JSON of script elements."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.path = path
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.problems: list[str] = []
        self.texts: list[str] = []
        self.data: list[str] = []
        self._open: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        self.problems += [f"<{tag}> never closed" for tag in self._open]
        self._check()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if len({name for name, _ in attrs}) < len(attrs):
            self.problems.append(f"<{tag}> has an attribute twice")
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"</{tag}> closes something else")

    def handle_data(self, data: str) -> None:
        (self.data if self._open[-1:] == ["script"] else self.texts).append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    def requests(self) -> list[str]:
        """Everything that the page asks for or links to."""
        return [attributes[name] for _, attributes in self.elements for name in ("src", "href", "poster") if name in attributes]

    def _check(self) -> None:
        """What assistive technology and readers need."""
        if len(set(self.ids)) < len(self.ids):
            self.problems.append("an id twice")
        if len(self.of("h1")) != 1 or self.of("html")[0].get("lang") != "en" or not self.of("main"):
            self.problems.append("no single h1, language or main")
        self.problems += [f"image without alt: {image}" for image in self.of("img") if "alt" not in image]
        self.problems += [f"image not lazy: {image}" for image in self.of("img") if image.get("loading") != "lazy"]
        if len(self.of("caption")) != len(self.of("table")):
            self.problems.append("a table without caption")
        self.problems += ["a heading cell without scope" for cell in self.of("th") if "scope" not in cell]
        headings = [int(tag[1]) for tag, _ in self.elements if tag in ("h1", "h2", "h3", "h4")]
        self.problems += ["a level of headings left out" for a, b in zip(headings, headings[1:], strict=False) if b > a + 1]


def unresolved(page: Page) -> list[str]:
    """Requests and links that lead nowhere: to another host, to a missing file, to an id that is not there."""
    bad = []
    for link in page.requests():
        parts = urlsplit(link)
        if link == "data:,":
            continue
        target = page.path if not parts.path else (page.path.parent / unquote(parts.path)).resolve()
        outside = bool(parts.scheme or parts.netloc) or not target.is_file()
        known = (
            not parts.fragment or parts.fragment.startswith("frame=") or (not outside and parts.fragment in Page(target).ids)
        )
        if outside or not known:
            bad.append(link)
    return bad
