//! What must hold after every fault: whatever was acknowledged is proven by every node, at the height it was
//! acknowledged for; all nodes have the same chain; nobody contradicted itself; nobody fell over.

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
    /// A part of a home is lost: only a home that was put back, or a disk that lied, may cause it.
    Loss,
    /// A mistake of the program: nothing may cause it.
    Mistake,
}

/// Words of a log and what they are about.
const SUSPECT: [(&str, Said); 6] = [
    ("a validator contradicted itself", Said::Equivocation),
    ("earlier promises of this validator may be lost", Said::Loss),
    ("promises and store of this validator are lost", Said::Loss),
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
        self.ends_saying(rig, |_, _| false).await
    }

    /// As [`Checked::ends`], where a node may say what the fault explains: asked by its number and [`Said`].
    pub(super) async fn ends_saying(
        self,
        rig: &mut Rig,
        is_explained: impl Fn(usize, Said) -> bool,
    ) -> Result<Figures, Stopped> {
        rig.load.stop();
        rig.start_all().await?;
        let acknowledged = rig.load.acknowledged()?;
        if acknowledged.is_empty() {
            return failed("nothing was acknowledged: nothing was tested");
        }
        proven_by_all(rig, &acknowledged).await?;
        rig.stop_all().await?;
        for number in 0..VALIDATORS {
            let log = rig.log(number);
            for (phrase, said) in SUSPECT.iter().filter(|(_, said)| !is_explained(number, *said)) {
                if let Some(line) = log.lines().find(|line| line.contains(phrase)) {
                    return failed(format!("{said:?}: {} logged: {line}", rig.nodes[number].process.name()));
                }
            }
        }
        Ok(Figures { acknowledged: acknowledged.len() as u64 * DIPLOMAS, ..Figures::default() })
    }
}

async fn proven_by_all(rig: &mut Rig, acknowledged: &[Acknowledged]) -> Result<(), Stopped> {
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
