"""To whom the state goes by OSC: who has subscribed, and who has sent something just now. Pure: the time is handed in."""

from dataclasses import dataclass

AFTER_S = 30.0
"""Who only sends is told the state for so long after the last message: UDP does not say that somebody has gone."""

MOST = 16
"""So many are told; one more takes the place of whom was heard longest ago, first of those who have not subscribed."""

Place = tuple[str, int]
"""Host and port."""


@dataclass
class Listener:
    """One who is told: `to`, where; when it was `heard_s` last; and whether it has `subscribed`: such are told until it ends."""

    to: Place
    heard_s: float
    subscribed: bool = False


class Listeners:
    """Remembers them by the place that they send from; `asking` are those who wait for the tree of addresses."""

    def __init__(self) -> None:
        self._by_sender: dict[Place, Listener] = {}
        self._asking: dict[Place, None] = {}

    def heard(self, sender: Place, now_s: float) -> None:
        """Somebody has sent something: from now on it is told."""
        listener = self._by_sender.setdefault(sender, Listener(sender, now_s))
        listener.heard_s = now_s
        if len(self._by_sender) > MOST:
            others = [(each.subscribed, each.heard_s, place) for place, each in self._by_sender.items() if place != sender]
            del self._by_sender[min(others)[2]]

    def subscribe(self, sender: Place, port: int | None, now_s: float) -> None:
        """Tell it until it ends, at `port` of its host; None: where it sends from."""
        self.heard(sender, now_s)
        self._by_sender[sender] = Listener(sender if port is None else (sender[0], port), now_s, True)

    def unsubscribe(self, sender: Place) -> None:
        """Tell it no more, until it sends again."""
        self._by_sender.pop(sender, None)

    def ask(self, sender: Place) -> None:
        """It wants the tree, where the state goes to; asked twice before it is answered, it is answered once."""
        if sender in self._by_sender and len(self._asking) < MOST:
            self._asking[self._by_sender[sender].to] = None

    def asking(self) -> tuple[Place, ...]:
        """Return who waits for the tree, and take it that they are answered."""
        found = tuple(self._asking)
        self._asking.clear()
        return found

    def now(self, now_s: float) -> tuple[Place, ...]:
        """Return who is to be told now; who has not been heard for long is forgotten."""
        gone = [place for place, each in self._by_sender.items() if not each.subscribed and now_s - each.heard_s > AFTER_S]
        for place in gone:
            del self._by_sender[place]
        return tuple(dict.fromkeys(each.to for each in self._by_sender.values()))
