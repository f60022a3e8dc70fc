"""What timers in the browser ask for does not undo what the visitor does."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from simulator.web.timers import Timers


def asked(page: str, timer: bool = False) -> dict[str, Any]:
    message = BackMsg()
    message.rerun_script.page_script_hash = page
    message.rerun_script.is_auto_rerun = timer
    if timer:
        message.rerun_script.fragment_id = f"{page} looks"
    return {"type": "websocket.receive", "bytes": message.SerializeToString()}


def heard(*messages: Any, kind: str = "websocket") -> list[int]:
    """The places of those messages that the server hears; numbers are seconds of silence."""
    last = {"type": "websocket.disconnect"}
    waiting, found = [*messages, last], []

    async def receive() -> Any:
        while isinstance(waiting[0], float):
            await asyncio.sleep(waiting.pop(0))
        return waiting.pop(0)

    async def server(_: Any, receive: Any, __: Any) -> None:
        while (message := await receive()) is not last:
            found.append(next(k for k, one in enumerate(messages) if one is message))

    async def send(_: Any) -> None:
        raise AssertionError

    def run() -> None:
        asyncio.run(Timers(server)({"type": kind}, receive, send))

    with ThreadPoolExecutor(1) as own:  # a browser's loop may run in this thread
        own.submit(run).result()
    return found


FIRST = asked("")
AT_ONCE, LATER = 0.01, 0.3


def test_timers_of_the_page_that_is_shown_are_heard() -> None:
    assert heard(FIRST, asked("compare", True), asked("compare", True)) == [0, 1, 2]
    assert heard(asked("gates"), asked("gates", True), LATER, asked("gates")) == [0, 1, 3]


def test_a_timer_at_the_moment_of_a_change_is_not() -> None:
    """It brings the change along, and what is begun for it is interrupted by the change itself."""
    look, change = asked("compare", True), asked("compare")
    assert heard(FIRST, look, change) == [0, 2]
    assert heard(FIRST, look, AT_ONCE, change, LATER, asked("compare", True)) == [0, 3, 5]
    assert heard(FIRST, look, LATER, change) == [0, 1, 3]
    assert heard(FIRST, look, asked("compare", True), change) == [0, 1, 3]


@pytest.mark.parametrize("first", [FIRST, asked("compare")])
def test_timers_of_the_page_that_was_left_are_not(first: Any) -> None:
    late = [asked("compare", True), asked("compare", True)]
    assert heard(first, asked("gates"), *late, asked("gates", True)) == [0, 1, 4]


def test_who_comes_back_is_heard_again() -> None:
    visits = [asked("compare"), asked("gates"), asked("compare")]
    assert heard(*visits, asked("gates", True), asked("compare", True)) == [0, 1, 2, 4]


def test_a_page_that_the_server_leads_to_has_its_timers() -> None:
    """A button on one page may lead to another: the tab does not ask for it by itself."""
    button = asked("import")
    messages = [asked("compare"), asked("import"), button, asked("compare", True), LATER]
    assert heard(*messages, asked("compare"), asked("compare", True)) == [0, 1, 2, 3, 5, 6]


def test_what_somebody_does_on_the_page_that_was_left_is_heard() -> None:
    assert heard(FIRST, asked("gates"), asked("compare"), asked("compare", True)) == [0, 1, 2, 3]


def test_other_messages_pass_as_they_are() -> None:
    stop = BackMsg(stop_script=True)
    odd = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "bytes": b"\xff\xff"},
        {"type": "websocket.receive", "text": "no"},
        {"type": "websocket.receive", "bytes": stop.SerializeToString()},
    ]
    assert heard(*odd, kind="websocket") == [0, 1, 2, 3]
    late = [asked("compare"), asked("gates"), asked("compare", True)]
    assert heard(*late, kind="http") == [0, 1, 2]
