"""A click that leads to another page counts, whatever that page's predecessor still asks for.

A page that looks again and again for better answers does so by a timer in the browser. It stops
when a link is clicked, but what the server sent before it heard of the click may start it anew;
what the timer then asks for names the page that was left, and Streamlit would go back there. The
slower the connection or the browser, the more often that happens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from starlette.middleware import Middleware
from streamlit.proto.BackMsg_pb2 import BackMsg

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _Tab:
    """Where a browser tab is, by what it says: the page it shows, and the one it asked for."""

    def __init__(self) -> None:
        self._shown: str | None = None
        self._asked: str | None = None

    def left(self, message: Message) -> bool:
        """Whether this is asked for by a timer of a page that the visitor has left."""
        told = BackMsg()
        try:
            told.ParseFromString(message.get("bytes") or b"")
        except DecodeError:  # that is for Streamlit to refuse
            return False
        if told.WhichOneof("type") != "rerun_script":
            return False
        page, timer = told.rerun_script.page_script_hash, told.rerun_script.is_auto_rerun
        if timer and self._asked not in (None, page):
            return True
        moves = not timer and self._shown not in (None, page)
        self._shown, self._asked = page, page if moves else None
        return False


class Leaving:
    """Keeps from the server what timers of a page ask for after the visitor has left it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on but that."""
        tab = _Tab()

        async def heard() -> Message:
            while tab.left(message := await receive()):
                pass
            return message

        await self._app(scope, heard if scope["type"] == "websocket" else receive, send)


MIDDLEWARE = (Middleware(Leaving),)
