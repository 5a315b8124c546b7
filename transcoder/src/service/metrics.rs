//! What the service counts, in a registry of its own.

use std::time::Duration;

use prometheus::{
    Encoder, Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder,
};

use super::problem::Problem;
use super::sequenced_remuxer::CallOutput;

/// The metrics of one service. Labels are routes, methods and statuses that exist.
pub(super) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    /// Remuxers turned away because none was free or the service was ending.
    pub(super) refused: IntCounter,
    /// Remuxers taken away because nobody used them.
    pub(super) reaped: IntCounter,
    /// Connections turned away at the limit.
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
    /// All of them, at zero.
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
            Opts::new("requests_total", "Requests that were answered"),
            &["method", "route", "status"],
        )?;
        registry.register(Box::new(requests.clone()))?;
        let utilisation = Gauge::new(
            "utilisation",
            "Open remuxers as a part of those that may be: scale on this",
        )?;
        registry.register(Box::new(utilisation.clone()))?;
        let push_s = Histogram::with_opts(
            HistogramOpts::new(
                "push_seconds",
                "Time that one call of a remuxer takes; its sum is the conversions' work",
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
                "Remuxers not opened: none was free, or the service was ending",
            )?,
            reaped: counter(
                "remuxers_reaped_total",
                "Remuxers taken away because nobody used them",
            )?,
            connections_refused: counter(
                "connections_refused_total",
                "Connections closed at once: there were too many",
            )?,
            connections: gauge("connections_open", "Connections that are open")?,
            open: gauge("remuxers_open", "Remuxers that are open")?,
            capacity: gauge("remuxers_max", "Remuxers that may be open")?,
            bytes_in: counter("input_bytes_total", "Bytes that remuxers took in")?,
            bytes_out: counter("output_bytes_total", "Bytes that remuxers gave out")?,
            defects: counter(
                "defects_total",
                "Remuxers that ended by a defect; each is worth a report",
            )?,
            requests,
            utilisation,
            push_s,
            registry,
        })
    }

    /// Counts an answer. `route` is a pattern of the router.
    pub(super) fn answered(&self, method: &str, route: &str, status: &str) {
        self.requests
            .with_label_values(&[method, route, status])
            .inc();
    }

    /// Counts a call of a remuxer.
    pub(super) fn converted(
        &self,
        input_bytes: usize,
        answer: &Result<CallOutput, Problem>,
        took: Duration,
    ) {
        self.push_s.observe(took.as_secs_f64());
        match answer {
            Ok(answer) => {
                self.bytes_in.inc_by(input_bytes as u64);
                self.bytes_out.inc_by(answer.output.len() as u64);
            }
            Err(_) => self.defects.inc(),
        }
    }

    /// Everything in Prometheus's text format.
    pub(super) fn text(&self, open: usize, capacity: usize) -> Result<Vec<u8>, prometheus::Error> {
        self.open.set(open as i64);
        self.capacity.set(capacity as i64);
        self.utilisation.set(open as f64 / capacity.max(1) as f64);
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        #[cfg(target_os = "linux")]
        {
            use prometheus::core::Collector;
            // Under their usual names, without the prefix of the service's own.
            let process = prometheus::process_collector::ProcessCollector::for_self();
            TextEncoder::new().encode(&process.collect(), &mut text)?;
        }
        Ok(text)
    }
}
