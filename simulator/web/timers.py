"""What a visitor does counts, whatever timers in the browser ask for at the same moment.

A page that looks again and again for better answers does so by a timer. It stops when a link is
clicked, but what the server sent before it heard of the click may start it anew; what the timer
then asks for names the page that was left, and Streamlit would go back there. And a timer that is
due between a change and the message about it brings the change along: Streamlit begins to take it
from there, is interrupted by the message, and takes it from neither. The slower the connection or
the browser, the more often these happen.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from starlette.middleware import Middleware
from streamlit.proto.BackMsg_pb2 import BackMsg

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Seconds: the message about a change is at most some tasks of the browser behind.
_HELD = 0.1


def _asked(message: Message) -> Any:
    """What a message asks to be drawn, None if it asks for nothing of the kind."""
    told = BackMsg()
    try:
        told.ParseFromString(message.get("bytes") or b"")
    except DecodeError:  # that is for Streamlit to refuse
        return None
    return told.rerun_script if told.WhichOneof("type") == "rerun_script" else None


class _Tab:
    """A browser tab as the server hears it: the page it shows, and the one it asked for.

    A page may lead to another one by itself only after the visitor has done something on it.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._next: asyncio.Future[Message] | None = None
        self._shown: str | None = None
        self._page: str | None = None

    async def heard(self) -> Message:
        """The next message, without what timers ask for in vain."""
        while True:
            following, self._next = self._next, None
            message = await (following or self._receive())
            wanted = _asked(message)
            if wanted is None:
                return message
            if not wanted.is_auto_rerun:
                moves = self._shown not in (None, wanted.page_script_hash)
                self._shown = wanted.page_script_hash
                self._page = self._shown if moves else None
                return message
            if self._page not in (None, wanted.page_script_hash) or await self._superseded():
                continue
            self._shown, self._page = wanted.page_script_hash, None
            return message

    async def _superseded(self) -> bool:
        """Whether the visitor asks for something at this moment."""
        self._next = asyncio.ensure_future(self._receive())
        await asyncio.wait({self._next}, timeout=_HELD)
        wanted = _asked(self._next.result()) if self._next.done() else None
        return wanted is not None and not wanted.is_auto_rerun

    def close(self) -> None:
        """Wait for no more messages."""
        if self._next is not None:
            self._next.cancel()


class Timers:
    """Keeps from the server what timers ask for beside what the visitor does."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything else on."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        tab = _Tab(receive)
        try:
            await self._app(scope, tab.heard, send)
        finally:
            tab.close()


MIDDLEWARE = (Middleware(Timers),)
