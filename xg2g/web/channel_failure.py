"""Why a channel does not open, in the form that the client reads."""

import json
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from ..metrics import Outcome
from ..outputs.failures import Failure
from ..outputs.refusals import Refusal
from .http.refusals import MEDIA_TYPE, Problem
from .pages.rendering import wants_page
from .routes.failure_page import advice, failure_page, tuner_users


def failure_answer(
    request: Request, refusal: Refusal, failure: Failure, *, is_video: bool = True
) -> Response:
    """Return a problem (RFC 9457) to a program and a page to a person. Players get an empty body
    where video is asked for, since they store any other as such, and one line elsewhere."""
    if wants_problem(request):
        response = _problem(request, refusal, failure)
    elif wants_page(request):
        response = failure_page(request, failure)
    elif is_video:
        response = Response(status_code=refusal.status)
    else:
        response = PlainTextResponse(f"{failure.reason}\n", refusal.status)
    response.headers["Cache-Control"] = "no-store"
    if refusal.hdhomerun_error is not None:
        response.headers["X-HDHomeRun-Error"] = refusal.hdhomerun_error
    return response


def wants_problem(request: Request) -> bool:
    """Whether the client is a program that reads why. No player asks for JSON."""
    accept = request.headers.get("accept", "").lower()
    return "application/json" in accept or MEDIA_TYPE in accept


def _problem(request: Request, refusal: Refusal, failure: Failure) -> Response:
    problem: dict[str, object] = Problem(
        title=HTTPStatus(refusal.status).phrase, status=refusal.status, detail=failure.reason
    ).model_dump()
    problem["outcome"] = failure.outcome
    if refusal.hdhomerun_error is not None:
        problem["code"] = refusal.hdhomerun_error.partition(" ")[0]
    if text := advice(failure):
        problem["advice"] = text
    if failure.outcome == Outcome.NO_TUNER:
        problem["users"] = tuner_users(request)
    return Response(json.dumps(problem), refusal.status, media_type=MEDIA_TYPE)
