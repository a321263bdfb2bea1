"""A headless Chromium for tests, driven over its own debugging pipe: no driver, no package, no port."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import field, frozen

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
    *("--remote-debugging-pipe", "--force-color-profile=srgb"),
)
_WITHIN_S = 30.0

# What a browser leaves until it is scrolled to: images to load, parts to lay out.
_ALL_SHOWN = """
document.querySelectorAll('*').forEach(e => { e.style.contentVisibility = 'visible'; });
Promise.all([...document.images].map(image => { image.loading = 'eager'; return image.decode(); })).then(() => 1)
"""


@frozen
class Opened:
    """What opening a page came to: its load in seconds, what the console said, and all that was asked for."""

    load_s: float
    console: list[str] = field(factory=list)
    requests: list[str] = field(factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start one, with a profile of its own; skip the test with the cure where there is none."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip("there is no Chromium: install one, for example with apt-get install chromium")
    to_it, write = os.pipe()
    read, from_it = os.pipe()
    # Chromium reads its orders from descriptor 3 and answers on 4.
    line = f'exec 3<&{to_it} 4>&{from_it}; exec "$0" "$@"'
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            ["bash", "-c", line, program, *_QUIET, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(to_it, from_it),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_it)
        os.close(from_it)
        with os.fdopen(write, "wb", buffering=0) as orders, os.fdopen(read, "rb", buffering=0) as answers:
            browser = Browser(orders, answers)
            try:
                browser.attach()
                yield browser
            finally:
                browser.order("Browser.close", of_page=False)
                process.wait(_WITHIN_S)


class Browser:
    """One tab of a running Chromium, spoken to in its DevTools protocol."""

    def __init__(self, orders: Any, answers: Any) -> None:
        self._orders = orders
        self._answers = answers
        self._buffer = b""
        self._number = 0
        self._session = ""
        self._events: list[dict[str, Any]] = []

    def attach(self) -> None:
        """Take the first tab, and listen to what happens in it."""
        targets = self.order("Target.getTargets", of_page=False)["targetInfos"]
        tab = next(target["targetId"] for target in targets if target["type"] == "page")
        attached = self.order("Target.attachToTarget", of_page=False, targetId=tab, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Log", "Runtime", "Network"):
            self.order(f"{domain}.enable")

    def open(self, file: Path) -> Opened:
        """Open a file from disk and wait until it has loaded."""
        self._events.clear()
        uri = file.absolute().as_uri()
        start = time.perf_counter()
        self.order("Page.navigate", url=uri)
        self._until("Page.loadEventFired")
        # Two frames later what is in sight has been laid out and painted.
        self.ask("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")
        load_s = time.perf_counter() - start
        asked = [event["params"]["request"]["url"] for event in self._named("Network.requestWillBeSent")]
        outside = [url for url in asked if url != uri and not url.startswith("data:")]
        return Opened(load_s, self._console(), outside)

    def dress(self, width: int, *, dark: bool = False, height: int = 900) -> None:
        """Set the width of the window and the reader's wish for light or dark."""
        self.order(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        wish = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.order("Emulation.setEmulatedMedia", media="", features=[wish])

    def ask(self, script: str) -> Any:
        """Return what an expression in the page comes to."""
        told = self.order("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def picture(self, file: Path, *, whole: bool = True) -> Path:
        """Write what is seen as a PNG: the whole page, with the images further down too, or the window alone."""
        if whole:
            self.ask(_ALL_SHOWN)
        shot = self.order("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(shot["data"]))
        return file

    def order(self, method: str, *, of_page: bool = True, **params: Any) -> dict[str, Any]:
        """Give one order and return its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if of_page:
            message["sessionId"] = self._session
        self._orders.write(json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            self._events.append(answer)
        assert "error" not in answer, f"{method}: {answer['error']}"
        result: dict[str, Any] = answer["result"]
        return result

    def _until(self, event: str) -> None:
        end = time.monotonic() + _WITHIN_S
        while not self._named(event):
            assert time.monotonic() < end, f"there was no {event}"
            self._events.append(self._next())

    def _named(self, method: str) -> list[dict[str, Any]]:
        return [event for event in self._events if event.get("method") == method]

    def _console(self) -> list[str]:
        entries = [event["params"]["entry"]["text"] for event in self._named("Log.entryAdded")]
        said = [json.dumps(event["params"]["args"]) for event in self._named("Runtime.consoleAPICalled")]
        thrown = [event["params"]["exceptionDetails"]["text"] for event in self._named("Runtime.exceptionThrown")]
        return [*entries, *said, *thrown]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            more = self._answers.read(1 << 16)
            assert more, "Chromium has gone"
            self._buffer += more
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer
