//! The metrics of the service, in a registry of their own.

use std::time::Duration;

use prometheus::{
    Encoder, Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder,
};

use super::platform;
use super::problem::Problem;
use super::sequenced_remuxer::CallOutput;

/// The metrics of one service. Their labels are existing routes, methods and statuses alone.
pub(super) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    /// Remuxers refused because none was free or the service was stopping.
    pub(super) refused: IntCounter,
    /// Remuxers freed because they were idle.
    pub(super) reaped: IntCounter,
    /// Connections closed at the limit.
    pub(super) connections_refused: IntCounter,
    /// Connections that are open.
    pub(super) connections: IntGauge,
    open: IntGauge,
    capacity: IntGauge,
    utilisation: Gauge,
    bytes_in: IntCounter,
    bytes_out: IntCounter,
    defects: IntCounter,
    push_s: Histogram,
}

impl Metrics {
    /// Returns all metrics, at zero.
    pub(super) fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new_custom(Some("xg2g_transcoder".into()), None)?;
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let requests = IntCounterVec::new(
            Opts::new("requests_total", "Requests with a response"),
            &["method", "route", "status"],
        )?;
        registry.register(Box::new(requests.clone()))?;
        let utilisation = Gauge::new(
            "utilisation",
            "Open remuxers as a fraction of the maximum: scale on this",
        )?;
        registry.register(Box::new(utilisation.clone()))?;
        let push_s = Histogram::with_opts(
            HistogramOpts::new(
                "push_seconds",
                "Duration of one call of a remuxer; the sum is the work of all conversions",
            )
            .buckets(vec![
                0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                1.0,
            ]),
        )?;
        registry.register(Box::new(push_s.clone()))?;
        Ok(Self {
            refused: counter(
                "remuxers_refused_total",
                "Remuxers refused: none was free, or the service was stopping",
            )?,
            reaped: counter(
                "remuxers_reaped_total",
                "Remuxers freed because they were idle",
            )?,
            connections_refused: counter(
                "connections_refused_total",
                "Connections closed at once because of --max-connections",
            )?,
            connections: gauge("connections_open", "Open connections")?,
            open: gauge("remuxers_open", "Open remuxers")?,
            capacity: gauge("remuxers_max", "Maximum number of open remuxers")?,
            bytes_in: counter("input_bytes_total", "Bytes of input of all remuxers")?,
            bytes_out: counter("output_bytes_total", "Bytes of output of all remuxers")?,
            defects: counter(
                "defects_total",
                "Remuxers that failed because of a bug; please report each",
            )?,
            requests,
            utilisation,
            push_s,
            registry,
        })
    }

    /// Counts a response. `route` is a pattern of the router.
    pub(super) fn count_response(&self, method: &str, route: &str, status: &str) {
        self.requests
            .with_label_values(&[method, route, status])
            .inc();
    }

    /// Counts a call of a remuxer.
    pub(super) fn count_call(
        &self,
        input_bytes: usize,
        outcome: &Result<CallOutput, Problem>,
        took: Duration,
    ) {
        self.push_s.observe(took.as_secs_f64());
        match outcome {
            Ok(output) => {
                self.bytes_in.inc_by(input_bytes as u64);
                self.bytes_out.inc_by(output.bytes.len() as u64);
            }
            Err(_) => self.defects.inc(),
        }
    }

    /// Returns all metrics in Prometheus's text format.
    pub(super) fn text(&self, open: usize, capacity: usize) -> Result<Vec<u8>, prometheus::Error> {
        self.open.set(open as i64);
        self.capacity.set(capacity as i64);
        self.utilisation.set(open as f64 / capacity.max(1) as f64);
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        // They keep their usual names, without the service's prefix.
        TextEncoder::new().encode(&platform::process_metrics(), &mut text)?;
        Ok(text)
    }
}
