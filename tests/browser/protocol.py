"""A rater without a browser: speaks Streamlit's websocket protocol, so that twenty of them leave the server room."""

import json
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from reports.guard import cookie_name

GONE = (ConnectionClosed, InvalidHandshake, OSError, TimeoutError, EOFError)
_PATIENCE_S = 15.0


class ProtocolRater:
    """One rater's session: what came in, the form's data, and how to send events as the form does."""

    def __init__(self, url: str, token: str) -> None:
        self._address = url.replace("http://", "ws://") + "/_stcore/stream"
        self._token = token
        self._stack = ExitStack()
        self._connection: ClientConnection | None = None
        self._component = self._fragment = ""
        self.data: dict[str, Any] = {}
        self.heard = bytearray()
        self.pages: list[str] = []

    def open(self) -> None:
        """Connects, and runs the application once, as a page that is loaded does."""
        self.close()
        name = cookie_name(urlsplit(self._address).netloc)
        headers = {"Cookie": f"{name}={self._token}"} if self._token else {}
        connection = connect(
            self._address, additional_headers=headers, subprotocols=["streamlit"], max_size=None, open_timeout=10
        )
        self._connection = self._stack.enter_context(connection)
        message = BackMsg()
        message.rerun_script.query_string = ""
        self._ask(message)

    def close(self) -> None:
        self._connection = None
        self._stack.close()

    def send(self, events: list[Mapping[str, Any]], *, show: str | None = None) -> None:
        """Events to the form's trigger; waits until the fragment has run."""
        message = BackMsg()
        message.rerun_script.fragment_id = self._fragment
        value = json.dumps([{"event": "out", "value": {"events": events, "show": show}}])
        trigger = f"$$STREAMLIT_INTERNAL_KEY_{self._component}__events"
        message.rerun_script.widget_states.widgets.extend(
            [WidgetState(id=self._component, json_value="{}"), WidgetState(id=trigger, json_trigger_value=value)]
        )
        self._ask(message)

    def ask_for_page(self, name: str = "", page_hash: str = "") -> None:
        """Asks for another page, by its name or hash."""
        message = BackMsg()
        message.rerun_script.page_name = name
        message.rerun_script.page_script_hash = page_hash
        self._ask(message)

    def judge(self, answer: Mapping[str, Any], *, kind: str = "judgement", rev: int | None = None) -> dict[str, Any]:
        """An event of the screen that is shown."""
        rev = rev or time.time_ns() // 1_000_000
        aid = self.data["screen"]["assignment_id"]
        return {
            "id": f"{aid}:{rev}:{kind[0]}",
            "aid": aid,
            "type": kind,
            "rev": rev,
            "seconds": 1.0,
            "stage": self.data["screen"]["stage"],
            "answer": answer,
        }

    def _ask(self, message: BackMsg) -> None:
        if self._connection is None:
            raise EOFError("not connected")
        self._connection.send(message.SerializeToString())
        while True:
            raw = self._connection.recv(timeout=_PATIENCE_S)
            self.heard += raw if isinstance(raw, bytes) else raw.encode()
            received = ForwardMsg()
            received.ParseFromString(raw)
            match received.WhichOneof("type"):
                case "delta":
                    self._hear(received.delta)
                case "navigation":
                    self.pages = [page.page_name for page in received.navigation.app_pages]
                case "script_finished":
                    return

    def _hear(self, delta: Any) -> None:
        component = delta.new_element.bidi_component
        if delta.WhichOneof("type") != "new_element" or not component.id:
            return
        self.data = json.loads(component.json or component.mixed.json)
        self._component = component.id
        self._fragment = delta.fragment_id
