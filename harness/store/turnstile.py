"""A lock that serves threads in the order they came, which `threading.Lock` does not promise."""

import threading
from collections import deque
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class _Ticket:
    owner: int
    called: threading.Event = field(default_factory=threading.Event)


class Turnstile:
    """First come, first served; one thread at a time; not re-entrant."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[_Ticket] = deque()
        self._holder: int | None = None

    def enter(self, timeout_s: float) -> bool:
        """Waits for this thread's turn.

        Args:
            timeout_s: Seconds to wait; 0 or less does not wait.

        Returns:
            Whether the turn came in time. Only then must `leave` be called.

        Raises:
            RuntimeError: This thread is inside already, so that its turn would never come.
        """
        me = threading.get_ident()
        with self._guard:
            if self._holder == me:
                raise RuntimeError("this thread is inside already")
            if self._holder is None:
                self._holder = me
                return True
            ticket = _Ticket(owner=me)
            self._waiting.append(ticket)
        try:
            came = ticket.called.wait(max(timeout_s, 0.0))
        except BaseException:
            if not self._give_up(ticket):
                self.leave()
            raise
        return came or not self._give_up(ticket)

    def leave(self) -> None:
        """Lets the thread that waits longest go in."""
        with self._guard:
            if not self._waiting:
                self._holder = None
                return
            ticket = self._waiting.popleft()
            self._holder = ticket.owner
            ticket.called.set()

    def _give_up(self, ticket: _Ticket) -> bool:
        """Takes a ticket out of the queue; False if it was called in the meantime."""
        with self._guard:
            if ticket.called.is_set():
                return False
            self._waiting.remove(ticket)
            return True
