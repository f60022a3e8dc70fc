"""A visitor without a browser: speaks the app's own protocol, so that many fit on one machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect


class Visitor:
    """One browser tab: asks for a page by its link and keeps every text that it is sent."""

    def __init__(self, url: str, **link: Any) -> None:
        address = url.replace("http://", "ws://") + "/_stcore/stream"
        self._socket = connect(
            address, subprotocols=["streamlit"], max_size=64 << 20, close_timeout=0.2
        )
        self._link = urlencode(link, doseq=True)
        self.texts: list[str] = []

    def ask(self, **link: Any) -> None:
        """Ask for the page, as a browser does when it opens a link."""
        if link:
            self._link = urlencode(link, doseq=True)
        message = BackMsg()
        message.rerun_script.query_string = self._link
        self._socket.send(message.SerializeToString())

    def until(self, told: Callable[[str], bool], seconds: float) -> float:
        """Seconds until a text for which `told` holds; raises TimeoutError."""
        began = time.monotonic()
        while (left := seconds - (time.monotonic() - began)) > 0:
            try:
                content = self._socket.recv(timeout=left)
            except TimeoutError:
                break
            message = ForwardMsg()
            message.ParseFromString(bytes(content))
            text = str(message.delta) if message.HasField("delta") else ""
            if text:
                self.texts.append(text)
                if told(text):
                    return time.monotonic() - began
        raise TimeoutError(f"not told within {seconds} s")

    def close(self) -> None:
        """Close the tab."""
        self._socket.close()
