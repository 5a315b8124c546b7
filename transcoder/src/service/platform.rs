//! What the service needs of the operating system. The only module that asks which system it is:
//! `unix.rs` and `windows.rs` have the same functions and types, and the rest of the service
//! calls them alike.
//!
//! | | Unix | Windows |
//! |---|---|---|
//! | Unix sockets | yes | refused as an address |
//! | stops on | SIGTERM, SIGINT | Ctrl-C, Ctrl-Break, a closed console, shutdown |
//! | limit of open files | raised | the system has none for sockets |
//! | metrics of the process | on Linux | none |

#[cfg_attr(unix, path = "platform/unix.rs")]
#[cfg_attr(windows, path = "platform/windows.rs")]
mod system;

pub(super) use system::{LISTEN_FORMS, LocalListener, LocalStream, connect_local, local_address};
pub use system::{raise_descriptor_limit, stop_signal};

/// Returns the metrics of this process under their usual names; none where nobody counts them.
pub(super) fn process_metrics() -> Vec<prometheus::proto::MetricFamily> {
    #[cfg(target_os = "linux")]
    {
        use prometheus::core::Collector;
        prometheus::process_collector::ProcessCollector::for_self().collect()
    }
    #[cfg(not(target_os = "linux"))]
    Vec::new()
}
