//! What a devnet run showed: a table for people, one object for machines, and a verdict.

use std::io::{self, Write};

use serde::Serialize;

/// Latencies of submissions, from the first try to the answer "final", in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// How many were measured.
    pub samples: usize,
    /// Half of them took at most so long.
    pub p50_ms: f64,
    /// 99 of 100 took at most so long.
    pub p99_ms: f64,
}

impl Latency {
    /// The figures of some samples, in milliseconds; nearest rank.
    pub fn of(mut samples_ms: Vec<f64>) -> Latency {
        samples_ms.sort_by(f64::total_cmp);
        let rank = |share: f64| {
            let at = (share * samples_ms.len() as f64).ceil() as usize;
            samples_ms.get(at.saturating_sub(1)).copied().unwrap_or_default()
        };
        Latency { samples: samples_ms.len(), p50_ms: rank(0.50), p99_ms: rank(0.99) }
    }
}

/// One node at the highest height that all have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeAt {
    /// Whose node.
    pub name: String,
    /// The block it holds there.
    pub block: String,
    /// The most memory it held, in bytes, where the system tells.
    pub resident_bytes_max: Option<u64>,
}

/// What a run showed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// The network's id.
    pub chain_id: String,
    /// Blocks decided.
    pub blocks: u64,
    /// Views it took.
    pub views: u64,
    /// Diplomas recorded in batches.
    pub diplomas: usize,
    /// Diplomas of batches recorded a second, first submission to last answer; batches were offered at a fixed
    /// pace, so this is no limit.
    pub diplomas_per_second: f64,
    /// Batches a second that were offered.
    pub batches_offered_per_second: f64,
    /// Batches of 20.
    pub batch_latency: Latency,
    /// Transactions of one diploma.
    pub single_latency: Latency,
    /// Single transactions a second that were offered.
    pub singles_offered_per_second: f64,
    /// Diplomas found valid at the observer.
    pub checked_valid: usize,
    /// Buckets they lay in.
    pub buckets: usize,
    /// Bytes of the largest bucket's proof.
    pub bucket_proof_bytes: usize,
    /// The longest check of a bucket's proof, in milliseconds.
    pub bucket_check_ms: f64,
    /// Bytes of the largest proof for one diploma.
    pub status_proof_bytes: usize,
    /// The longest check of a proof for one diploma, in milliseconds.
    pub status_check_ms: f64,
    /// What was shown, in order.
    pub shown: Vec<String>,
    /// The highest height all nodes have.
    pub common_height: u64,
    /// Each node there.
    pub nodes: Vec<NodeAt>,
}

impl Report {
    /// The table.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
        table.add_row(["network", &self.chain_id]);
        table.add_row(["blocks, views".to_owned(), format!("{}, {}", self.blocks, self.views)]);
        table.add_row([
            "diplomas in batches".to_owned(),
            format!(
                "{} at {:.0}/s (offered: {:.0} batches/s)",
                self.diplomas, self.diplomas_per_second, self.batches_offered_per_second
            ),
        ]);
        table.add_row(["submit to final, batch".to_owned(), latency(&self.batch_latency)]);
        table.add_row([
            "submit to final, single".to_owned(),
            format!("{} (offered: {:.0}/s)", latency(&self.single_latency), self.singles_offered_per_second),
        ]);
        table.add_row([
            "checked at the observer".to_owned(),
            format!("{} valid, from {} buckets", self.checked_valid, self.buckets),
        ]);
        table.add_row([
            "proof of a bucket".to_owned(),
            format!("{} bytes, checked in {:.1} ms at most", self.bucket_proof_bytes, self.bucket_check_ms),
        ]);
        table.add_row([
            "proof of one diploma".to_owned(),
            format!("{} bytes, checked in {:.1} ms at most", self.status_proof_bytes, self.status_check_ms),
        ]);
        for node in &self.nodes {
            let memory = node
                .resident_bytes_max
                .map_or_else(String::new, |bytes| format!(", {} MiB at most", bytes / (1 << 20)));
            table.add_row([
                format!("{} at {}", node.name, self.common_height),
                format!("{}…{memory}", &node.block[..16.min(node.block.len())]),
            ]);
        }
        writeln!(out, "{table}")?;
        for line in &self.shown {
            writeln!(out, "shown: {line}")?;
        }
        writeln!(out, "{}", self.verdict())
    }

    /// The last line.
    pub fn verdict(&self) -> String {
        format!(
            "OK: {} diplomas issued, agreed by {} validators, proven, revoked, replaced and withdrawn; \
             {} nodes hold the same block {}",
            self.diplomas,
            self.nodes.len().saturating_sub(1),
            self.nodes.len(),
            self.common_height
        )
    }
}

fn latency(latency: &Latency) -> String {
    format!("p50 {:.0} ms, p99 {:.0} ms, {} samples", latency.p50_ms, latency.p99_ms, latency.samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_the_nearest_rank() {
        let latency = Latency::of((1..=200).rev().map(f64::from).collect());
        assert_eq!((latency.p50_ms, latency.p99_ms, latency.samples), (100.0, 198.0, 200));
        assert_eq!(Latency::of(vec![]), Latency::default());
    }
}
