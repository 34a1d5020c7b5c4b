//! What must hold after every fault: whatever was acknowledged is proven by every node, at the height it was
//! acknowledged for; no node has that from its peers which it had itself; all nodes have the same chain; nobody
//! contradicted itself; nobody fell over.

use tanba_node::client::Client;
use tokio::task::JoinSet;

use super::{
    Stopped, failed,
    load::{Acknowledged, DIPLOMAS},
    report::Figures,
    rig::Rig,
};
use crate::network::VALIDATORS;

/// What a line of a log may be about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// A validator contradicted itself: only one key in two places may cause it.
    Equivocation,
    /// Promises are lost: only a journal that was put back, or a key in two places, may cause it.
    PromisesLost,
    /// Blocks are lost, which the peers give again: only a store that was put back may cause it.
    BlocksLost,
    /// A mistake of the program: nothing may cause it.
    Mistake,
}

/// A suspect line in the log of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// The node.
    pub(super) number: usize,
    /// What it is about.
    pub(super) said: Said,
    /// All of it.
    pub(super) text: &'a str,
}

/// What a node logs that sees two signatures of one key that contradict each other.
pub(super) const EVIDENCE: &str = "a validator contradicted itself";

/// Words of a log and what they are about.
const SUSPECT: [(&str, Said); 11] = [
    (EVIDENCE, Said::Equivocation),
    ("earlier promises of this validator may be lost", Said::PromisesLost),
    ("promises and store of this validator are lost", Said::PromisesLost),
    ("but this validator has signed at height", Said::BlocksLost),
    // No scenario spoils or removes what a disk holds: a home in which a node finds that has lost it.
    ("damage found: ", Said::Mistake),
    ("the store is set aside as", Said::Mistake),
    ("the home holds no store", Said::Mistake),
    // Agreement asked for a signature that the promises forbid: nothing it remembers lets it.
    ("the promise guard refused to sign", Said::Mistake),
    ("panicked at", Said::Mistake),
    ("this node diverged", Said::Mistake),
    ("this is a mistake of the program", Said::Mistake),
];

/// What a scenario has checked.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// So many of what was acknowledged, from the first on, are proven by all.
    proven: usize,
}

impl Checked {
    /// Every node proves what was acknowledged since the last time.
    pub(super) async fn proves_new(&mut self, rig: &mut Rig) -> Result<(), Stopped> {
        let acknowledged = rig.load.acknowledged()?;
        let new = &acknowledged[self.proven..];
        proven_by_all(rig, new).await?;
        self.proven = acknowledged.len();
        Ok(())
    }

    /// The end of a scenario: the load stops, every node proves everything, the logs are read, and all stop.
    pub(super) async fn ends(self, rig: &mut Rig) -> Result<Figures, Stopped> {
        self.ends_saying(rig, |_| false).await
    }

    /// As [`Checked::ends`], where a node may say what the fault explains: asked line by line.
    pub(super) async fn ends_saying(
        self,
        rig: &mut Rig,
        is_explained: impl Fn(&Line<'_>) -> bool,
    ) -> Result<Figures, Stopped> {
        rig.load.stop();
        rig.start_all().await?;
        let acknowledged = rig.load.acknowledged()?;
        if acknowledged.is_empty() {
            return failed("nothing was acknowledged: nothing was tested");
        }
        proven_by_all(rig, &acknowledged).await?;
        rig.stop_all().await?;
        // What nobody is started for any more is looked at, too.
        for number in 0..VALIDATORS {
            rig.look(number)?;
        }
        rig.looked().await?;
        for number in 0..VALIDATORS {
            let log = rig.log(number);
            if let Some(line) = suspect(number, &log).find(|line| !is_explained(line)) {
                let name = rig.nodes[number].process.name();
                return failed(format!("{:?}: {name} logged: {}", line.said, line.text));
            }
        }
        let acknowledged = acknowledged.len() as u64 * DIPLOMAS;
        Ok(Figures { acknowledged, looks: rig.held(), ..Figures::default() })
    }
}

/// The suspect lines of a node's log.
fn suspect(number: usize, log: &str) -> impl Iterator<Item = Line<'_>> {
    log.lines().filter_map(move |text| {
        let (_, said) = SUSPECT.iter().find(|(phrase, _)| text.contains(phrase))?;
        Some(Line { number, said: *said, text })
    })
}

/// The first line of a log that nothing explains.
pub(super) fn mistake(log: &str) -> Option<&str> {
    // Whose log it is does not matter for these.
    suspect(0, log).find(|line| line.said == Said::Mistake).map(|line| line.text)
}

async fn proven_by_all(rig: &mut Rig, acknowledged: &[Acknowledged]) -> Result<(), Stopped> {
    rig.looked().await?;
    let Some(highest) = acknowledged.iter().map(|one| one.height).max() else { return Ok(()) };
    let mut asked: JoinSet<Result<(), Stopped>> = JoinSet::new();
    let mut chain = None;
    for number in 0..VALIDATORS {
        rig.reaches(number, highest).await?;
        let client = rig.client(number).await?;
        let (header, _) = client.header(highest).await?;
        if *chain.get_or_insert(header.hash()) != header.hash() {
            return failed(format!("two chains: the nodes differ at block {highest}"));
        }
        let (trust, acknowledged) = (rig.network.clone(), acknowledged.to_vec());
        let name = rig.nodes[number].process.name().to_owned();
        asked.spawn(async move {
            for one in acknowledged {
                proven(&name, &client, &trust, one).await?;
            }
            Ok(())
        });
    }
    while let Some(ended) = asked.join_next().await {
        ended??;
    }
    Ok(())
}

async fn proven(
    name: &str,
    client: &Client,
    network: &crate::network::Network,
    one: Acknowledged,
) -> Result<(), Stopped> {
    let lost = |what: String| failed(format!("lost at {name}: transaction {} {what}", one.id));
    match client.receipt(one.id, &network.trust()).await {
        Ok((included, _)) if included.height == one.height => Ok(()),
        Ok((included, _)) => {
            lost(format!("was acknowledged for block {}, is in {}", one.height, included.height))
        }
        Err(error) => lost(format!("is not proven ({error})")),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn a_suspect_line_is_found_among_others() {
        let log = "INFO committed\nWARN the promise guard refused to sign refusal=x\nERROR a validator contradicted itself";
        let found: Vec<(usize, Said)> = suspect(2, log).map(|line| (line.number, line.said)).collect();
        assert_eq!(found, [(2, Said::Mistake), (2, Said::Equivocation)]);
    }

    #[test]
    fn the_program_still_says_what_is_looked_for() {
        fn texts(folder: &Path) -> String {
            let entries =
                fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
            let text = |path: std::path::PathBuf| match path.is_dir() {
                true => texts(&path),
                false => fs::read_to_string(path).expect("a source"),
            };
            entries.map(text).collect()
        }
        let sources = texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../node/src"));
        // The words of a panic are the language's.
        for (phrase, _) in SUSPECT.iter().filter(|(phrase, _)| *phrase != "panicked at") {
            assert!(sources.contains(phrase), "{phrase}");
        }
    }
}
