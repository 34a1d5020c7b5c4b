//! What a node tells its monitoring, in numbers. The table [`METRICS`] is the reference: every metric is
//! registered from it and from nowhere else. Labels take values from fixed lists of ours, so that nothing a
//! stranger sends can grow the registry, and no metric names a person, a diploma or a caller.
//!
//! [`http`] serves the text format to Prometheus.

pub mod http;

use std::{fmt, sync::Arc, sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// One row of the reference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metric {
    /// As Prometheus shows it. The unit is the last word, before `_total`.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// Label names, if any.
    pub labels: &'static [&'static str],
    /// What it says, without a full stop.
    pub help: &'static str,
}

macro_rules! metrics {
    ($($field:ident: $type:ty = $kind:literal $name:literal [$($label:literal),*] $help:literal;)*) => {
        /// Every metric of a node.
        pub const METRICS: &[Metric] = &[
            $(Metric { name: $name, kind: $kind, labels: &[$($label),*], help: $help }),*
        ];

        struct Numbers { $($field: $type),* }

        impl Numbers {
            fn register(registry: &mut Registry) -> Numbers {
                let numbers = Numbers { $($field: <$type as Create>::create()),* };
                // The text format adds `_total` to counters by itself.
                $(registry.register($name.trim_end_matches("_total"), $help, numbers.$field.clone());)*
                numbers
            }
        }
    };
}

metrics! {
    build: Family<Build, Gauge> = "gauge" "tanba_build_info" ["version"] "Always 1; the label says which software runs";
    head_height: Gauge = "gauge" "tanba_head_height" [] "Height of the last block that is final and behind the barrier here";
    head_time: Gauge<f64, AtomicU64> = "gauge" "tanba_head_time_seconds" [] "Time of that block, in Unix time";
    network_height: Gauge = "gauge" "tanba_network_height" [] "Highest height any peer has shown";
    view: Gauge = "gauge" "tanba_view" [] "View in which agreement on the next height stands";
    voting: Gauge = "gauge" "tanba_voting" [] "1 if the node votes now, else 0";
    commits: Counter = "counter" "tanba_commits_total" [] "Blocks committed since the start";
    commit_time: Histogram = "histogram" "tanba_commit_seconds" [] "The event in which a block became final, from its arrival to behind the barrier";
    transactions: Counter = "counter" "tanba_transactions_total" [] "Transactions made final since the start";
    mempool_count: Gauge = "gauge" "tanba_mempool_transactions" [] "Transactions waiting to be put into a block";
    mempool_bytes: Gauge = "gauge" "tanba_mempool_bytes" [] "Bytes of those transactions";
    peers_connected: Gauge = "gauge" "tanba_peers_connected" [] "Peers connected now";
    peers_known: Gauge = "gauge" "tanba_peers_known" [] "Peers the ledger admits and this node knows";
    peer_mistakes: Counter = "counter" "tanba_peer_mistakes_total" [] "Messages of peers that were refused";
    equivocations: Gauge = "gauge" "tanba_equivocations" [] "Validators seen to contradict themselves since the start; any is a case for the council";
    network_bytes: Family<Direction, Counter> = "counter" "tanba_network_bytes_total" ["direction"] "Bytes of messages, questions, answers and own gossip exchanged with peers; gossip counts once, whoever takes it";
    journal_syncs: Counter = "counter" "tanba_journal_syncs_total" [] "Syncs of the promise journal";
    journal_bytes: Gauge = "gauge" "tanba_journal_bytes" [] "Size of the promise journal";
    refusals: Counter = "counter" "tanba_guard_refusals_total" [] "Times the promise guard refused what agreement wanted to sign since the start; any is a mistake of the program";
    store_syncs: Counter = "counter" "tanba_store_syncs_total" [] "Syncs of the database that reached the disk";
    store_healed: Counter = "counter" "tanba_store_healed_total" [] "Times this process set a damaged store aside and made it anew; any wants a look at the disk";
    refused: Family<Reason, Counter> = "counter" "tanba_submissions_refused_total" ["reason"] "Submissions refused, by the reason's code";
    api_calls: Family<Call, Counter> = "counter" "tanba_api_calls_total" ["service", "method", "code"] "gRPC calls answered; a stream counts when it begins";
    api_time: Histogram = "histogram" "tanba_api_call_seconds" [] "From a gRPC call to its answer, or to the begin of its stream";
    api_connections: Gauge = "gauge" "tanba_api_connections" [] "gRPC connections open now";
    api_refused: Counter = "counter" "tanba_api_connections_refused_total" [] "Connections turned away: too many, or not HTTP/2";
    api_bytes: Family<Direction, Counter> = "counter" "tanba_api_bytes_total" ["direction"] "Bytes exchanged with gRPC clients";
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Direction {
    direction: &'static str,
}

const IN: Direction = Direction { direction: "in" };
const OUT: Direction = Direction { direction: "out" };

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Call {
    service: &'static str,
    method: &'static str,
    code: &'static str,
}

/// The numbers of one node. Cheap to clone; every method may be called from any thread and returns at once.
#[derive(Clone)]
pub struct Metrics(Arc<Shared>);

struct Shared {
    registry: Registry,
    numbers: Numbers,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Metrics {
        let mut registry = Registry::default();
        let numbers = Numbers::register(&mut registry);
        numbers.build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1);
        Metrics(Arc::new(Shared { registry, numbers }))
    }

    /// The text that Prometheus scrapes (OpenMetrics 1.0).
    pub fn text(&self) -> String {
        let mut out = String::new();
        text::encode(&mut out, &self.0.registry).expect("writing into a String does not fail");
        out
    }

    /// The head moved: `transactions` more are final, `took` from the arrival of the event that decided it
    /// to behind the barrier.
    pub fn committed(&self, height: u64, time_ms: u64, transactions: u64, took: Duration) {
        self.head(height, time_ms);
        let numbers = &self.0.numbers;
        numbers.commits.inc();
        numbers.transactions.inc_by(transactions);
        numbers.commit_time.observe(took.as_secs_f64());
    }

    /// Where the head is, also at the start.
    pub fn head(&self, height: u64, time_ms: u64) {
        self.0.numbers.head_height.set(clamped(height));
        self.0.numbers.head_time.set(time_ms as f64 / 1_000.0);
    }

    /// The highest height any peer has shown.
    pub fn network_height(&self, height: u64) {
        self.0.numbers.network_height.set(clamped(height));
    }

    /// Where agreement stands, and whether this node votes in it.
    pub fn agreement(&self, view: u32, voting: bool) {
        self.0.numbers.view.set(i64::from(view));
        self.0.numbers.voting.set(i64::from(voting));
    }

    /// What waits in the mempool.
    pub fn mempool(&self, transactions: usize, bytes: usize) {
        self.0.numbers.mempool_count.set(clamped(transactions as u64));
        self.0.numbers.mempool_bytes.set(clamped(bytes as u64));
    }

    /// Who is connected, of those known.
    pub fn peers(&self, connected: usize, known: usize) {
        self.0.numbers.peers_connected.set(clamped(connected as u64));
        self.0.numbers.peers_known.set(clamped(known as u64));
    }

    /// A peer's message was refused.
    pub fn peer_mistake(&self) {
        self.0.numbers.peer_mistakes.inc();
    }

    /// So many validators were seen to contradict themselves.
    pub fn equivocations(&self, count: u64) {
        self.0.numbers.equivocations.set(clamped(count));
    }

    /// Bytes came from peers.
    pub fn network_bytes_in(&self, bytes: u64) {
        self.0.numbers.network_bytes.get_or_create(&IN).inc_by(bytes);
    }

    /// Bytes went to peers.
    pub fn network_bytes_out(&self, bytes: u64) {
        self.0.numbers.network_bytes.get_or_create(&OUT).inc_by(bytes);
    }

    /// The promise journal was synced so often since the last call, and has this size now.
    pub fn journal_synced(&self, syncs: u64, size_bytes: u64) {
        self.0.numbers.journal_syncs.inc_by(syncs);
        self.0.numbers.journal_bytes.set(clamped(size_bytes));
    }

    /// The promise guard refused to sign so often since the last call.
    pub fn guard_refused(&self, times: u64) {
        self.0.numbers.refusals.inc_by(times);
    }

    /// So many syncs of the database reached the disk since the last call.
    pub fn store_synced(&self, syncs: u64) {
        self.0.numbers.store_syncs.inc_by(syncs);
    }

    /// So often the store was made anew in this process; said once, at the start.
    pub fn store_healed(&self, times: u64) {
        self.0.numbers.store_healed.inc_by(times);
    }

    /// A submission was refused for a reason of ours.
    pub fn submission_refused(&self, reason: &'static str) {
        self.0.numbers.refused.get_or_create(&Reason { reason }).inc();
    }

    /// A gRPC call of one of our services was answered; `code` is the status code's name in the gRPC
    /// specification. `took` is absent for a call that was turned away.
    pub fn api_call(
        &self,
        service: &'static str,
        method: &'static str,
        code: &'static str,
        took: Option<Duration>,
    ) {
        self.0.numbers.api_calls.get_or_create(&Call { service, method, code }).inc();
        if let Some(took) = took {
            self.0.numbers.api_time.observe(took.as_secs_f64());
        }
    }

    /// A gRPC connection was set up.
    pub fn api_connection_opened(&self) {
        self.0.numbers.api_connections.inc();
    }

    /// A gRPC connection ended.
    pub fn api_connection_closed(&self) {
        self.0.numbers.api_connections.dec();
    }

    /// A connection was turned away at the door.
    pub fn api_connection_refused(&self) {
        self.0.numbers.api_refused.inc();
    }

    /// Bytes came from gRPC clients.
    pub fn api_bytes_in(&self, bytes: u64) {
        self.0.numbers.api_bytes.get_or_create(&IN).inc_by(bytes);
    }

    /// Bytes went to gRPC clients.
    pub fn api_bytes_out(&self, bytes: u64) {
        self.0.numbers.api_bytes.get_or_create(&OUT).inc_by(bytes);
    }
}

/// Gauges are signed; no height or size comes near the end of that range.
fn clamped(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// How each kind of metric begins.
trait Create {
    fn create() -> Self;
}

impl Create for Counter {
    fn create() -> Counter {
        Counter::default()
    }
}

impl Create for Gauge {
    fn create() -> Gauge {
        Gauge::default()
    }
}

impl Create for Gauge<f64, AtomicU64> {
    fn create() -> Gauge<f64, AtomicU64> {
        Gauge::default()
    }
}

impl Create for Histogram {
    /// 0.5 ms to 8 s, by doubling.
    fn create() -> Histogram {
        Histogram::new(prometheus_client::metrics::histogram::exponential_buckets(0.0005, 2.0, 15))
    }
}

impl<L: Clone + std::hash::Hash + Eq, M: Default> Create for Family<L, M> {
    fn create() -> Family<L, M> {
        Family::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One value under every label, so that every row has a line.
    fn touched() -> Metrics {
        let metrics = Metrics::new();
        metrics.committed(7, 1_500, 3, Duration::from_millis(2));
        metrics.network_bytes_in(1);
        metrics.api_bytes_out(1);
        metrics.submission_refused("EXPIRED");
        metrics.api_call("tanba.ledger.v1.LedgerService", "GetBlock", "OK", Some(Duration::ZERO));
        metrics
    }

    #[test]
    fn every_row_of_the_table_is_served_with_its_kind_and_help() {
        let text = touched().text();
        for metric in METRICS {
            let family = metric.name.trim_end_matches("_total");
            assert!(text.contains(&format!("# TYPE {family} {}\n", metric.kind)), "{}", metric.name);
            assert!(text.contains(&format!("# HELP {family} {}.\n", metric.help)), "{}", metric.name);
            assert_eq!(metric.kind == "counter", metric.name.ends_with("_total"), "{}", metric.name);
            let sample = |line: &str| line.starts_with(metric.name) && !line.starts_with('#');
            let line = text.lines().find(|line| sample(line)).unwrap_or_else(|| panic!("{}", metric.name));
            for label in metric.labels {
                assert!(line.contains(&format!("{label}=\"")), "{line}");
            }
        }
    }

    #[test]
    fn numbers_arrive_in_their_unit() {
        let text = touched().text();
        for line in [
            "tanba_head_height 7",
            "tanba_head_time_seconds 1.5",
            "tanba_transactions_total 3",
            "tanba_submissions_refused_total{reason=\"EXPIRED\"} 1",
            "tanba_commit_seconds_count 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
