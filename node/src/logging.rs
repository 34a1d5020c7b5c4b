//! Logs: structured, on stderr, in text for people or JSON for machines. What is logged are heights, hashes,
//! keys and BINs; nothing about a person, a caller or a fingerprint that somebody asked for.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The filter is none.
    #[error("\"{filter}\" is no log filter: {why}")]
    Filter {
        /// What was given.
        filter: String,
        /// What is wrong.
        why: String,
    },
    /// This process logs already.
    #[error("logging was started twice")]
    Twice,
}

/// Starts logging for the whole process: `filter` as `tracing` writes it (`info,tanba_node=debug`), lines on
/// stderr. Once per process.
pub fn start(format: LogFormat, filter: &str) -> Result<(), LoggingError> {
    let parsed = EnvFilter::try_new(filter)
        .map_err(|error| LoggingError::Filter { filter: filter.to_owned(), why: error.to_string() })?;
    let lines = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => {
            let is_plain = !std::io::stderr().is_terminal() || std::env::var_os("NO_COLOR").is_some();
            lines.with_ansi(!is_plain).try_init()
        }
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
    };
    started.map_err(|_| LoggingError::Twice)
}
