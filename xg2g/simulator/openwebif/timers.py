"""Timers and recordings."""

from starlette.requests import Request
from starlette.responses import Response

from xg2g.simulator.box import Box, Timer
from xg2g.simulator.openwebif.files import RECORDING, recording_bytes
from xg2g.simulator.openwebif.responses import Handler, Json, failure, json_answer
from xg2g.simulator.options import Generation

_MOVIES = "/media/hdd/movie/"


def handlers(box: Box) -> dict[str, Handler]:
    """Return the endpoints for timers and recordings."""
    timers = _Timers(box)
    return {
        "/api/timerlist": timers.listed,
        "/api/timeradd": timers.add,
        "/api/timerdelete": timers.delete,
        "/api/movielist": _movies,
    }


class _Timers:
    def __init__(self, box: Box) -> None:
        self._box = box

    def listed(self, request: Request) -> Response:
        box = self._box
        version = {"version": 2} if box.generation is Generation.O else {}
        timers = [_shown(timer) for timer in box.timers.entries]
        places = {"locations": [_MOVIES], "default": _MOVIES, "tags": []}
        return json_answer(version | {"result": True, "timers": timers} | places)

    def add(self, request: Request) -> Response:
        """Add a timer. One whose time has come starts to record; a later one never starts."""
        query = request.query_params
        missing = [name for name in ("sRef", "begin", "end", "name") if name not in query]
        if missing:
            return failure(f"Missing mandatory parameter '{missing[0]}'")
        service = self._box.find(query["sRef"])
        timer_s = int(query["begin"]), int(query["end"])
        if service is None or timer_s[1] <= timer_s[0]:
            return failure("Timer could not be added")
        timer = Timer(
            service=service,
            reference=query["sRef"],
            begin_s=timer_s[0],
            end_s=timer_s[1],
            name=query["name"],
            description=query.get("description", ""),
            event_id=int(query.get("eit", "0")),
            just_play=query.get("justplay") == "1",
        )
        conflicts = self._box.timers.conflicts(timer, len(self._box.tuners.tuned))
        if conflicts:
            listed = [_shown(conflict) for conflict in (timer, *conflicts)]
            message = f"Conflicting Timer(s) detected! {' / '.join(t['name'] for t in listed)}"
            return json_answer({"result": False, "message": message, "conflicts": listed})
        now_s = self._box.air.utc().timestamp()
        begins = timer.begin_s <= now_s < timer.end_s and not timer.just_play
        if begins and self._box.start_recording(service):
            timer = Timer(**(vars(timer) | {"recording": True}))
        self._box.timers.entries.append(timer)
        return json_answer({"result": True, "message": f"Timer '{timer.name}' added"})

    def delete(self, request: Request) -> Response:
        """Delete a timer, found by reference and exact times, or by event."""
        query = request.query_params
        fields = query["sRef"].split(":")[:11]
        times = query.get("begin"), query.get("end")

        def wanted(timer: Timer) -> bool:
            same_time = times == (str(timer.begin_s), str(timer.end_s))
            same_event = timer.event_id != 0 and query.get("eit") == str(timer.event_id)
            return timer.reference.split(":")[:11] == fields and (same_time or same_event)

        timer = self._box.timers.remove(wanted)
        if timer is None:
            return failure("No matching Timer found")
        if timer.recording:
            self._box.stop_recording(timer.service)
        return json_answer(
            {"result": True, "message": f"The timer '{timer.name}' has been deleted"}
        )


def _shown(timer: Timer) -> Json:
    return {
        "serviceref": timer.reference,
        "servicename": timer.service.name,
        "eit": timer.event_id or None,
        "name": timer.name,
        "description": timer.description,
        "begin": timer.begin_s,
        "end": timer.end_s,
        "duration": timer.end_s - timer.begin_s,
        "state": 2 if timer.recording else 0,
        "justplay": int(timer.just_play),
        "disabled": 0,
        "repeated": 0,
        "dirname": "None",
        "filename": None,
    }


def _movies(request: Request) -> Response:
    directory = request.query_params.get("dirname", _MOVIES)
    movies = [
        {
            "filename": RECORDING,
            "serviceref": f"1:0:0:0:0:0:0:0:0:0:{RECORDING}",
            "eventname": "Night Train",
            "servicename": "Card Three & Friends",
            "length": "?:??",
            "recordingtime": 1761328800,
            "begintime": "Fr 24.10.2025 20:00",
            "filesize": len(recording_bytes()),
            "lastseen": 0,
            "tags": "",
            "description": "",
            "descriptionExtended": "",
        }
    ]
    found = movies if directory.rstrip("/") == _MOVIES.rstrip("/") else []
    return json_answer({"movies": found, "bookmarks": [], "directory": directory})
