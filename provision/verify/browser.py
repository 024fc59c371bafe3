"""A browser as a location that checks can ask: what a person would see."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from provision.facts.question import Question
from provision.verify.chromium import Chromium, Slow
from provision.verify.commands import Answer, Ask

BROWSER = "browser"
SECONDS = 15.0
FRESH = 3.0  # seconds until a page is loaded again: one that never asks anew shows for ever what it found first
TEXT = "document.body ? document.body.innerText : ''"


@dataclass(frozen=True)
class Browser:
    """The browser, as a check asks it."""

    def sees(self, url: str, text: str, *, address: str, screenshot: str, seconds: float = SECONDS) -> Ask:
        """Open `url` and wait until the page shows `text`. screenshot: the name under which it is kept.

        address: where the URL's host is, for a browser on a controller whose own resolver can't know the site's names.
        The answer's code is 0 when it did; its output is all the text that the page shows.
        """
        wanted = {"url": url, "text": text, "address": address, "screenshot": screenshot}
        return Ask(BROWSER, json.dumps(wanted), seconds)


class BrowserLocation:
    """Answers by starting a browser, once for a batch. folder: for the screenshots.

    wrap: as for LocalLocation; where it leads the site's names are known. None: the browser runs on the controller.
    """

    def __init__(self, wrap: Callable[[list[str]], list[str]] | None, folder: Path) -> None:
        self._wrap = wrap
        self._folder = folder

    def answers(self, asked: Iterable[Question]) -> Mapping[Any, Any]:
        """Each page's text, and whether it came to show what was looked for."""
        questions = [question for question in asked if isinstance(question, Ask)]
        with Chromium(self._wrap or (lambda argv: argv), () if self._wrap else self._known(questions)) as browser:
            return {question: self._look(browser, question) for question in questions}

    def close(self) -> None:
        """Nothing stays open."""

    def _known(self, questions: Iterable[Ask]) -> tuple[str, ...]:
        """The flag that makes the browser know where the hosts are."""
        wanted = [json.loads(question.command) for question in questions]
        rules = {f"MAP {urlsplit(each['url']).hostname} {each['address']}" for each in wanted if each["address"]}
        return (f"--host-resolver-rules={','.join(sorted(rules))}",) if rules else ()

    def _look(self, browser: Chromium, question: Ask) -> Answer:
        wanted = json.loads(question.command)
        deadline = time.monotonic() + question.timeout
        shown = f"({TEXT}).includes({json.dumps(wanted['text'])})"
        try:
            failure = browser.open(wanted["url"], question.timeout)
        except Slow:
            failure = f"nothing came back within {question.timeout:g} s"
        if failure:
            return Answer(1, "", failure, question.timeout)
        while not (seen := browser.until(shown, min(FRESH, deadline - time.monotonic()))):
            if time.monotonic() + FRESH > deadline:
                break
            browser.reload()
        browser.screenshot(self._folder / f"{wanted['screenshot']}.png")
        return Answer(0 if seen else 1, str(browser.value(TEXT) or ""), "", question.timeout)
