"""OSC in a session: what comes is done as MIDI is, and the state goes out to whoever has sent something or subscribed."""

import time
from collections.abc import Callable

from noizestream.control.osc_addresses import PREFIX, TREE
from noizestream.control.osc_listeners import Listeners
from noizestream.control.osc_map import AskTree, MixGenres, OscMap, Subscribe, Unsubscribe
from noizestream.control.state import LiveState
from noizestream.devices.osc import OscMessage, Value
from noizestream.devices.osc_process import OscProcess
from noizestream.errors import option
from noizestream.session.request import osc_place
from noizestream.session.status import SessionStatus


class OscControl:
    """Listens where `asked` says, `[HOST:]PORT`, and acts on `state`. `say` takes lines for the user.

    Its process, `process`, is opened, looked after and closed by whoever made it.
    """

    def __init__(self, asked: str | int, state: LiveState, say: Callable[[str], None]):
        self._state, self._map, self._listeners = state, OscMap(state.models), Listeners()
        self._status: SessionStatus | None = None
        self.process = OscProcess(osc_place(asked), f"{option('osc')} {asked}", self._hear, self._publish, say)

    @property
    def messages(self) -> int:
        """How many messages have come, broken packets among them."""
        return self._map.messages + self.process.broken

    @property
    def refused(self) -> int:
        """How many of the messages asked for nothing we have."""
        return self._map.refused + self.process.broken

    def show(self, status: SessionStatus) -> None:
        """Have the figures of `status` sent from now on."""
        self._status = status

    def _hear(self, message: OscMessage) -> None:
        state, now_s = self._state, time.monotonic()
        self._listeners.heard(message.sender, now_s)
        match self._map.translate(message.address, message.arguments, state.current, state.wanted):
            case None:
                return
            case Subscribe(port):
                self._listeners.subscribe(message.sender, port, now_s)
            case Unsubscribe():
                self._listeners.unsubscribe(message.sender)
            case AskTree():
                self._listeners.ask(message.sender)
            case MixGenres(weights, model):
                state.mix(weights, model)
            case action:
                state.apply(action)

    def _publish(self) -> None:
        self.process.send(self._listeners.asking(), [(PREFIX + TREE, self._map.tree)])
        places = self._listeners.now(time.monotonic())
        if places:
            playing = self._state.current
            values = self._map.state(playing, self._state.weights_of(playing), self._state.by_name())
            self.process.send(places, values + self._figures())

    def _figures(self) -> list[tuple[str, Value]]:
        status = self._status
        if status is None:
            return []
        figures = {"playing": status.playing, "peak": status.peak, "load": status.load, "underruns": status.underruns}
        return [(f"{PREFIX}status/{name}", float(value)) for name, value in figures.items()]
