"""Models of the API's queries. Their docstrings are descriptions in the OpenAPI document."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ..http.refusals import Refused

MAX_IDS = 200
"""Maximum number of channel ids in a query."""
MAX_IDS_LENGTH = 12_000
"""Maximum length of the list of ids, so that it fits into a request's head."""


class Query(BaseModel):
    """Query of a request."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True, extra="forbid")


def invalid_cursor() -> Refused:
    """Return the refusal of a cursor that no answer has given."""
    return Refused(400, "after: invalid cursor; use next of the previous answer")


class NoQuery(Query):
    """Query without parameters."""


class PageQuery(Query):
    """Query for a part of a long list."""

    limit: Annotated[int, Field(ge=1, le=5000)] = 1000
    """Maximum number of items."""
    after: str | None = None
    """Continue after this cursor: `next` of the previous answer."""


class ChannelsQuery(PageQuery):
    """Query for channels."""

    bouquet: str | None = None
    """Only the channels of this bouquet, in its order."""
    radio: bool | None = None
    """`true`: radio only; `false`: television only."""


class GuideQuery(PageQuery):
    """Query for programmes."""

    channel: str | None = None
    """Only programmes of this channel."""
    channels: Annotated[str | None, Field(max_length=MAX_IDS_LENGTH)] = None
    """Only programmes of these channels: at most 200 ids, separated by commas."""
    search: Annotated[str | None, Field(max_length=100)] = None
    """Only programmes with all these words in title or subtitle. Case is ignored."""
    brief: bool = False
    """Leave descriptions and categories empty."""
    begin: Annotated[AwareDatetime | None, Field(alias="from")] = None
    """Only programmes that end after this time. RFC 3339 with a time zone, or seconds since 1970.
    Default: now."""
    end: Annotated[AwareDatetime | None, Field(alias="to")] = None
    """Only programmes that begin before this time, at most 31 days after `from`. Default: four
    hours after `from`."""
