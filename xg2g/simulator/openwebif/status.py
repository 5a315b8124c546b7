"""The receiver's description and current state."""

from starlette.requests import Request
from starlette.responses import Response

from xg2g.simulator.box import Box
from xg2g.simulator.openwebif.responses import Handler, Json, json_answer
from xg2g.simulator.options import Generation

_STANDBY, _WAKE, _TOGGLE = "5", "4", "0"


def handlers(box: Box) -> dict[str, Handler]:
    """Return the endpoints for the state."""
    state = _State(box)
    return {
        "/api/about": lambda request: json_answer({"info": state.info(), "service": {}}),
        "/api/deviceinfo": lambda request: json_answer(state.info()),
        "/api/statusinfo": lambda request: json_answer(state.status()),
        "/api/powerstate": state.power,
        "/api/signal": lambda request: json_answer(state.signal()),
        "/api/tunersignal": lambda request: json_answer(state.signal()),
        "/api/settings": lambda request: json_answer(state.settings()),
    }


class _State:
    def __init__(self, box: Box) -> None:
        self._box = box

    def info(self) -> Json:
        streams = [
            {
                "ref": str(stream.service.reference),
                "name": stream.service.name,
                "eventname": "",
                "ip": stream.peer,
                "type": "S",
            }
            for stream in self._box.streams.active
        ]
        return {
            "brand": "xg2g",
            "model": "Simulated",
            "boxtype": "simulated",
            "webifver": self._box.generation.version,
            "imagedistro": "openatv",
            "imagever": "7.4.20240901",
            "uptime": "2d 03:11",
            "mem2": "512000 kB",
            "fp_version": None,
            "transcoding": False,
            "EX": "",
            "tuners": self._tuners(),
            "ifaces": [{"name": "lo", "ip": "127.0.0.1", "v4prefix": 8}],
            "hdd": [],
            "streams": streams,
        }

    def _tuners(self) -> list[Json]:
        box = self._box
        current = [box.current] if box.current else []
        users = {
            "rec": box.recordings,
            "live": current,
            "stream": [stream.service for stream in box.streams.active],
        }
        if box.generation is Generation.E:
            del users["stream"]
        tuners: list[Json] = []
        for i, tuned in enumerate(box.tuners.tuned):
            names = {
                use: next((s.name for s in services if s.reference.transponder == tuned), "")
                for use, services in users.items()
            }
            name = f"Tuner {chr(ord('A') + i % 26)}"
            tuners.append({"name": name, "type": "Simulated NIM (DVB-S2)"} | names)
        return tuners

    def status(self) -> Json:
        box = self._box
        names = [stream.service.name for stream in box.streams.active]
        status: Json = {
            "volume": 50,
            "muted": False,
            "transcoding": False,
            "currservice_filename": "",
            "currservice_id": -1,
            "currservice_name": "N/A",
            "currservice_begin": "",
            "currservice_end": "",
            "currservice_description": "",
            "currservice_fulldescription": "N/A",
            "inStandby": _text(box.in_standby),
            "isRecording": _text(bool(box.recordings)),
            "Streaming_list": "\n".join(names),
            "isStreaming": _text(bool(names)),
        }
        if box.current is not None:
            event = box.current.programmes.running_at(box.air.utc())
            end = event.begin + event.duration
            status |= {
                "currservice_serviceref": str(box.current.reference),
                "currservice_station": box.current.name,
                "currservice_id": event.event_id,
                "currservice_name": event.title,
                "currservice_begin": f"{event.begin:%H:%M}",
                "currservice_end": f"{end:%H:%M}",
                "currservice_begin_timestamp": int(event.begin.timestamp()),
                "currservice_end_timestamp": int(end.timestamp()),
            }
        return status

    def power(self, request: Request) -> Response:
        """Answer with the state before the change; standby releases the television's tuner."""
        before = self._box.in_standby
        match request.query_params.get("newstate"):
            case state if state == _TOGGLE:
                self._box.in_standby = not before
            case state if state in (_STANDBY, _WAKE):
                self._box.in_standby = state == _STANDBY
        if self._box.in_standby:
            self._box.stop_television()
        return json_answer({"result": True, "instandby": before})

    def signal(self) -> Json:
        """Return the signal of the television's service; streams do not count."""
        tuned = self._box.current is not None
        return {
            "tunertype": "DVB-S" if tuned else "",
            "tunernumber": 0 if tuned else "",
            "snr": 82 if tuned else "",
            "snr_db": "13.10" if tuned else "",
            "agc": 74 if tuned else "",
            "ber": 0 if tuned else "",
            "inStandby": _text(self._box.in_standby),
        }

    def settings(self) -> Json:
        """Return the settings that differ from their defaults, as pairs."""
        box = self._box
        changed = [["config.usage.setup_level", "expert"], ["config.misc.firstrun", "false"]]
        if box.zaps_on_playlist:
            changed.append(["config.OpenWebif.webcache.zapstream", "true"])
        if box.streams.wants_credentials:
            changed.append(["config.streaming.authentication", "true"])
        if box.generation is Generation.O and box.whitelist:
            relayed = ",".join(str(reference) for reference in box.whitelist)
            changed.append(["whitelist_streamrelay", relayed])
        return {"result": True, "settings": changed}


def _text(value: bool) -> str:
    """Return a boolean in this part's form."""
    return str(value).lower()
