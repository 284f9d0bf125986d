"""What the page keeps of each visitor's session."""

from copy import copy
from typing import TYPE_CHECKING, Any

from gradio.state_holder import SessionState, StateHolder
from gradio.utils import LRUCache

from serving.core.errors import Refused

if TYPE_CHECKING:
    from gradio.blocks import Blocks

SESSIONS = 1000  # the least recently used goes first
OF_ONE_CLIENT = 100  # likewise
LONGEST = 64  # characters of the name that a browser gives its session


class Sessions(StateHolder):
    """The sessions, by their names."""

    def __init__(self, blocks: "Blocks") -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.set_blocks(blocks)
        self.capacity = SESSIONS
        self._of_clients = LRUCache[str, LRUCache[str, None]](SESSIONS)

    def __getitem__(self, session_id: str) -> SessionState:
        """Return a session, a new one if there is none of that name. Raises Refused."""
        if len(session_id) > LONGEST:
            raise Refused(422, "wrong_shape", f"session_hash has over {LONGEST} characters.", "Send a random one.")
        if session_id not in self.session_data:
            self.session_data[session_id] = Session(self.blocks)
        return super().__getitem__(session_id)

    def claim(self, session_id: str, client: str) -> None:
        """Count a session as a client's."""
        if client not in self._of_clients:
            self._of_clients[client] = LRUCache(OF_ONE_CLIENT)
        sessions = self._of_clients[client]
        if len(sessions) == OF_ONE_CLIENT and session_id not in sessions:
            self.drop(next(iter(sessions)))
        sessions[session_id] = None

    def drop(self, session_id: str) -> None:
        """Forget a session."""
        self.session_data.pop(session_id, None)
        self.time_last_used.pop(session_id, None)


class Session(SessionState):
    """The components that events have changed, and the values of gr.State. Gradio would also copy the configuration of
    every component, 1 MB and 15 ms for each session, and keep the values of all events there, for links that open the
    page with these values: there are none here."""

    def __init__(self, blocks: "Blocks") -> None:
        self.blocks_config = copy(blocks.default_config)
        self.config_values = {}
        self.state_data = {}
        self._state_ttl = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = 3600  # s

    def __setitem__(self, key: int, value: Any) -> None:
        """Change a component, or the value of a gr.State."""
        super().__setitem__(key, value)
        self.config_values.clear()

    def _update_config(self, key: int) -> None: ...

    def _update_value_in_config(self, key: int, value: Any) -> None: ...
