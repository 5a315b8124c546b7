"""The report of a viewer's stream: to the log, the metrics and the list of failures."""

import structlog

from ..metrics import Metrics, Outcome
from .failures import Failure, Failures
from .refusals import Refusal

log = structlog.get_logger()


class StreamReport:
    """Reports the events of one viewer's stream."""

    def __init__(
        self,
        channel_id: str,
        channel_name: str | None,
        address: str | None,
        *,
        metrics: Metrics,
        failures: Failures,
        **bound: str,
    ) -> None:
        """`address` is the viewer's; `bound` are further values for each line of the log."""
        self._channel_id = channel_id
        self._channel_name = channel_name
        self._address = address
        self._metrics = metrics
        self._failures = failures
        name = {"name": channel_name} if channel_name else {}
        self.log = log.bind(channel=channel_id, **name, viewer=address, **bound)

    def froze(self, frozen_s: float) -> None:
        """Report a time without output although the receiver sent."""
        self.log.warning("picture froze", frozen_s=round(frozen_s, 2))

    def skipped(self, skipped_bytes: int) -> None:
        """Report output that was left out for a viewer who fell behind."""
        self._metrics.skips.inc()
        self._metrics.skipped_bytes.inc(skipped_bytes)
        self.log.warning("viewer fell behind and skipped", skipped_bytes=skipped_bytes)

    def refused(self, refusal: Refusal, reason: str) -> Failure:
        """Report that the stream does not begin."""
        outcome, status = refusal.outcome, refusal.status
        self.log.warning("channel not opened", reason=reason, outcome=outcome.value, status=status)
        return self._failure(status, outcome, reason)

    def failed(self, outcome: Outcome, reason: str) -> None:
        """Report that the stream broke after its beginning."""
        self.log.warning("stream failed", reason=reason)
        self._failure(None, outcome, reason)

    def ended(self, outcome: Outcome, duration_s: float, bytes_out: int) -> None:
        """Report the end of a stream that began."""
        self.log.info(
            "stream ended",
            outcome=outcome.value,
            duration_s=round(duration_s, 1),
            bytes_out=bytes_out,
        )

    def _failure(self, status: int | None, outcome: Outcome, reason: str) -> Failure:
        return self._failures.add(
            channel_id=self._channel_id,
            channel_name=self._channel_name,
            viewer=self._address,
            status=status,
            outcome=outcome.value,
            reason=reason,
        )
