"""Previews of findings, in the form that a page holds them in. The domain draws; nothing here knows of pictures."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from attrs import frozen

from dltf.errors import DltfError
from dltf.joining import aligning
from dltf.report.wording import short

if TYPE_CHECKING:
    from dltf.contracts import Domain
    from dltf.host import Host
    from dltf.store import Store
    from dltf.values import Finding

_IMAGES = {
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
_SOUNDS = {".wav": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg", ".ogg": "audio/ogg"}
_TEXTS = (".txt", ".md", ".csv", ".json")
_LONGEST_TEXT = 4000  # characters
_ROOM = 32 * 2**20  # bytes of a page that are left to previews


@frozen
class Preview:
    """What is shown of a finding: "image" and "sound" have a `uri`, "text" a text, "none" a reason."""

    form: str
    uri: str = ""
    text: str = ""
    width: int = 0  # pixels, where the file says so: the page then keeps the room free
    height: int = 0


class Previews:
    """Draws the previews of a run, once each."""

    def __init__(self, store: Store, host: Host) -> None:
        from dltf.campaign.replay import domain_of, oracle_of

        self._drawn: dict[tuple[int, str], Preview] = {}
        self._domain: Domain | None = None
        self._align: Any = None
        self._room = _ROOM
        self.why_not = ""
        try:
            self._domain = domain_of(store, host)
            self._align = aligning(oracle_of(store, host))
        except DltfError as error:  # the plugin is not installed here; all else can be told
            self.why_not = error.message

    @property
    def units(self) -> dict[str, str]:
        """The unit of each distance by its name; empty where the domain is not here."""
        return {} if self._domain is None else dict(self._domain.geometry.units)

    def of(self, finding: Finding) -> Preview:
        """Draw a finding beside its seed; where that fails, say why."""
        key = (finding.case, finding.phase)
        if key not in self._drawn:
            self._drawn[key] = self._draw(finding)
        return self._drawn[key]

    def beside(self, finding: Finding) -> tuple[tuple[str, Preview], ...]:
        """Return what else the domain shows of a finding, sounds say, each with its title."""
        shows: Any = None if self._domain is None else getattr(self._domain.preview, "beside", None)
        if shows is None or self._domain is None or self._room <= 0:
            return ()
        try:
            seed, sample = (self._domain.codec.decode(data) for data in (finding.seed, finding.sample))
            files = [(str(title), str(suffix).lower(), bytes(data)) for title, suffix, data in shows(seed, sample)]
        except Exception as error:  # as below
            return (("", Preview("none", text=f"nothing beside it: {type(error).__name__}: {short(error)}")),)
        return tuple((title, self._within(data, suffix)) for title, suffix, data in files)

    def aligned(self, finding: Finding) -> tuple[tuple[str, str], ...]:
        """Return both answers piece by piece, where the oracle aligns them."""
        if self._align is None or finding.reference is None or finding.candidate is None:
            return ()
        try:
            pairs = self._align(finding.reference.decision, finding.candidate.decision)
            return tuple((str(ours), str(theirs)) for ours, theirs in pairs)
        except Exception:  # as below; the answers themselves are told
            return ()

    def _draw(self, finding: Finding) -> Preview:
        if self._domain is None:
            return Preview("none", text="no preview: the domain is not installed here")
        if self._room <= 0:
            return Preview("none", text="no preview, so that the page stays small; dltf export writes it")
        try:
            seed, sample = (self._domain.codec.decode(data) for data in (finding.seed, finding.sample))
            data = self._domain.preview.render(seed, sample)
        # A plugin may fail in any way, and a finished run is to be told all the same.
        except Exception as error:
            return Preview("none", text=f"no preview: {type(error).__name__}: {short(error)}")
        return self._within(data, self._domain.preview.suffix.lower())

    def _within(self, data: bytes, suffix: str) -> Preview:
        """Embed a file, and count what it takes of the page."""
        shown = embedded(data, suffix)
        self._room -= len(shown.uri) + len(shown.text)
        return shown


def embedded(data: bytes, suffix: str) -> Preview:
    """Put the bytes of a preview into a form that a page can hold."""
    for form, kinds in (("image", _IMAGES), ("sound", _SOUNDS)):
        if suffix in kinds:
            width, height = _png_size(data)
            uri = f"data:{kinds[suffix]};base64,{b64encode(data).decode()}"
            return Preview(form, uri=uri, width=width, height=height)
    if suffix in _TEXTS:
        text = data.decode(errors="backslashreplace")
        return Preview("text", text=text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]} …")
    return Preview("none", text=f"a {suffix or 'nameless'} preview cannot be shown here; dltf export writes it")


def _png_size(data: bytes) -> tuple[int, int]:
    """Return what the header of a PNG says, or zeros."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or len(data) < 24:
        return 0, 0
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
