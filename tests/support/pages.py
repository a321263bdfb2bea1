"""Pages as tests look at them: taken apart, or asked in a browser."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

OVERFLOWING = """
[...document.querySelectorAll('body *')]
  .filter(e => !e.closest('.wide, nav, pre, .hidden, svg') && e.getBoundingClientRect().right > innerWidth + 1)
  .map(e => e.outerHTML.slice(0, 200))
"""
"""What sticks out of the window, tables that scroll left out."""

FAINT = """
(() => {
  const light = c => c.map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  const faint = new Set();
  for (const e of document.querySelectorAll('body *:not(svg, svg *, style)')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) faint.add(e.tagName + '.' + e.className);
  }
  return [...faint];
})()
"""
"""What is too faint on its ground: below the 4.5 to 1 that WCAG asks for."""


class Page(HTMLParser):
    """A page taken apart: the text, headings, attributes and articles that a browser would see."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.source = file.read_text(encoding="utf-8")
        self.attributes: list[tuple[str, str, str]] = []  # tag, name, value
        self.tags: list[str] = []
        self.headings: list[str] = []
        self.articles: list[str] = []  # their classes
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(self.source)
        self.close()

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "article":
            self.articles.append(dict(attrs)["class"] or "")
        if tag in ("h1", "h2", "h3"):
            self._open.append(tag)
            self.headings.append("")

    def handle_endtag(self, tag: str) -> None:
        if self._open and tag == self._open[-1]:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] != ["style"]:
            self.texts.append(data)
        if self._open:
            self.headings[-1] += data.strip()
