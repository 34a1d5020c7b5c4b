//! The story, step by step. Each step either holds or ends the run with what was seen instead.

use std::{sync::Arc, time::Duration};

use tanba_ledger::{Height, Transaction};
use tokio::{
    sync::RwLock,
    task::JoinSet,
    time::{Instant, interval, sleep},
};

use super::{
    DevnetError, Founded, NodeProcess, Options, Report,
    checks::{self, Checked},
    class::{self, Batch, Clients, Done, Issued},
    found,
    report::{Latency, NodeAt},
};
use crate::{
    client::{Client, ClientError, End},
    issue::Roster,
};

/// Batches of so many diplomas.
const BATCH: usize = 20;

/// The validator that is killed, after which share of the batches, and after which it is started again.
const VICTIM: usize = 2;
const KILLED_AFTER_PER_CENT: usize = 36;
const RESTARTED_AFTER_PER_CENT: usize = 60;

/// Something awaited comes within this, or the run has failed.
pub(super) const COMES_WITHIN: Duration = Duration::from_secs(60);

/// How often it is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Tells a person how far things are.
pub trait Teller {
    /// A step begins or has ended.
    fn say(&self, line: &str);

    /// `done` of `all` of a step's parts are done.
    fn progress(&self, what: &str, done: usize, all: usize);
}

/// A network that runs.
#[derive(Debug)]
pub struct Devnet {
    /// What it was founded with.
    pub founded: Founded,
    /// Four validators, then the observer.
    pub nodes: Vec<NodeProcess>,
    pub(super) clients: Clients,
    pub(super) observer: Client,
}

/// Runs the whole story. The network still runs when this returns.
pub async fn run(options: &Options, teller: &impl Teller) -> Result<(Devnet, Report), DevnetError> {
    let roster = class::read(&options.class, 4)?;
    let founded = found(&options.folder, &class::scopes(&roster, 4))?;
    let mut report = Report { chain_id: founded.genesis.chain_id().to_string(), ..Report::default() };
    teller.say(&format!("founded: 4 universities, 2 ministries, network {}", report.chain_id));
    let mut devnet = Devnet::start(options, founded, teller).await?;

    let (batches, graduates) = prepare_class(&devnet.founded, &roster)?;
    class::write_files(&options.folder, &graduates)?;
    let (singles, single_graduates) = prepare_singles(&devnet.founded, &roster, options.singles)?;
    teller.say(&format!(
        "prepared and signed by registrar and approver: {} diplomas in {} batches, {} single",
        graduates.len(),
        batches.len(),
        singles.len()
    ));
    devnet.issue_batches(options, batches, &mut report, teller).await?;
    devnet.issue_singles(options, singles, &mut report, teller).await?;

    let last = devnet.observer_is_level().await?;
    let everyone: Vec<Issued> = graduates.iter().chain(&single_graduates).cloned().collect();
    let checked = checks::check_all(&devnet.founded, &devnet.observer, &everyone, |done| {
        teller.progress("checked", done, everyone.len());
    });
    let checked = checked.await?;
    teller.say(&format!("checked at the observer, from genesis alone: {} diplomas valid", checked.valid));
    note_checks(&mut report, &checked);

    devnet.show_refusals(&graduates, &roster, &mut report, teller).await?;
    devnet.show_changes(&graduates, &roster, last, &mut report, teller).await?;
    devnet.show_dishonest_leader(&roster, &mut report, teller).await?;
    devnet.compare(&mut report, teller).await?;
    Ok((devnet, report))
}

fn prepare_class(founded: &Founded, roster: &Roster) -> Result<(Vec<Batch>, Vec<Issued>), DevnetError> {
    let (mut by_university, mut issued) = (Vec::new(), Vec::new());
    for university in 0..founded.universities().len() {
        let rows = class::rows_of(roster, university);
        let (batches, files) = class::make(founded, university, &rows, BATCH)?;
        by_university.push(batches.into_iter());
        issued.extend(files);
    }
    // The universities in turn, as they would come in life.
    let mut batches = Vec::new();
    loop {
        let round: Vec<Batch> = by_university.iter_mut().filter_map(Iterator::next).collect();
        if round.is_empty() {
            return Ok((batches, issued));
        }
        batches.extend(round);
    }
}

/// One more document for each of the first graduates, every one in a transaction of its own.
fn prepare_singles(
    founded: &Founded,
    roster: &Roster,
    count: usize,
) -> Result<(Vec<Batch>, Vec<Issued>), DevnetError> {
    let universities = founded.universities().len();
    let (mut batches, mut issued) = (Vec::new(), Vec::new());
    for university in 0..universities {
        let share = count / universities + usize::from(university < count % universities);
        let rows = class::rows_of(roster, university);
        let rows: Vec<_> = rows.into_iter().take(share).collect();
        let (singles, files) = class::make(founded, university, &rows, 1)?;
        batches.extend(singles);
        issued.extend(files);
    }
    Ok((batches, issued))
}

fn note_checks(report: &mut Report, checked: &Checked) {
    let ms = |duration: Duration| duration.as_secs_f64() * 1_000.0;
    report.checked_valid = checked.valid;
    report.buckets = checked.buckets;
    report.bucket_proof_bytes = checked.bucket_bytes_max;
    report.bucket_check_ms = ms(checked.bucket_check_max);
    report.status_proof_bytes = checked.status_bytes_max;
    report.status_check_ms = ms(checked.status_check_max);
}

impl Devnet {
    async fn start(options: &Options, founded: Founded, teller: &impl Teller) -> Result<Devnet, DevnetError> {
        let mut nodes: Vec<NodeProcess> = founded
            .with_nodes()
            .map(|party| {
                let home = party.home.as_ref().expect("has a node");
                NodeProcess::new(&party.name, &options.program, home)
            })
            .collect();
        for node in &mut nodes {
            node.start()?;
        }
        let mut clients = Vec::new();
        for node in &mut nodes {
            clients.push(node.ready().await?);
        }
        let observer = clients.pop().expect("the observer is the last");
        let clients: Clients = Arc::new(RwLock::new(clients.into_iter().map(Some).collect()));
        let devnet = Devnet { founded, nodes, clients, observer };
        devnet.everyone_votes().await?;
        teller.say("started: 5 processes, 4 validators vote, 1 observer follows");
        Ok(devnet)
    }

    /// Waits until every validator that is up votes.
    async fn everyone_votes(&self) -> Result<(), DevnetError> {
        let deadline = Instant::now() + COMES_WITHIN;
        loop {
            let clients: Vec<Client> = self.clients.read().await.iter().flatten().cloned().collect();
            let mut voting = 0;
            for client in &clients {
                let status = client.node_status().await?;
                voting += usize::from(status.voting() == tanba_proto::ledger::v1::Voting::Voting);
            }
            if voting == clients.len() {
                return Ok(());
            }
            late(deadline, "voting", &format!("{voting} of {} validators vote", clients.len()))?;
            sleep(LOOK_EVERY).await;
        }
    }

    /// An open loop: a batch is offered when its time has come, whatever became of those before.
    async fn issue_batches(
        &mut self,
        options: &Options,
        batches: Vec<Batch>,
        report: &mut Report,
        teller: &impl Teller,
    ) -> Result<(), DevnetError> {
        let (count, diplomas) = (batches.len(), batches.iter().map(|batch| batch.diplomas).sum::<usize>());
        let mut pace = interval(options.batch_every);
        let mut under_way = JoinSet::new();
        let mut offered_while_dead = 0;
        let began = Instant::now();
        for (number, batch) in batches.into_iter().enumerate() {
            pace.tick().await;
            if number == count * KILLED_AFTER_PER_CENT / 100 {
                self.clients.write().await[VICTIM] = None;
                self.nodes[VICTIM].kill().await?;
                teller.say(&format!(
                    "killed {} (SIGKILL) before batch {}",
                    self.nodes[VICTIM].name(),
                    number + 1
                ));
            }
            if number == count * RESTARTED_AFTER_PER_CENT / 100 {
                self.nodes[VICTIM].start()?;
                teller.say(&format!("started it again before batch {}", number + 1));
            }
            offered_while_dead += usize::from(self.nodes[VICTIM].pid().is_none());
            under_way.spawn(class::submit(self.clients.clone(), batch.university, batch.transaction));
        }
        let done = follow(under_way, count, "batches final", teller).await?;
        let lasted = done.iter().map(|one| one.ended).max().unwrap_or(began) - began;
        report.diplomas = diplomas;
        report.diplomas_per_second = diplomas as f64 / lasted.as_secs_f64();
        report.batches_offered_per_second = 1.0 / options.batch_every.as_secs_f64();
        report.batch_latency = latency(&done);
        teller.say(&format!("issued: {diplomas} diplomas in {count} batches, all final"));
        if offered_while_dead == 0 {
            return Err(DevnetError::broken("issuing", "no batch was offered while a validator was dead"));
        }
        report.shown.push(format!(
            "issuing went on while one of four validators was dead: {offered_while_dead} batches were offered then"
        ));

        let client = self.nodes[VICTIM].ready().await?;
        self.clients.write().await[VICTIM] = Some(client);
        self.everyone_votes().await?;
        teller.say(&format!("{} caught up and votes again", self.nodes[VICTIM].name()));
        report.shown.push("the killed validator caught up and votes again".to_owned());
        Ok(())
    }

    async fn issue_singles(
        &self,
        options: &Options,
        singles: Vec<Batch>,
        report: &mut Report,
        teller: &impl Teller,
    ) -> Result<(), DevnetError> {
        let count = singles.len();
        let mut pace = interval(options.single_every);
        let mut under_way = JoinSet::new();
        for single in singles {
            pace.tick().await;
            under_way.spawn(class::submit(self.clients.clone(), single.university, single.transaction));
        }
        let done = follow(under_way, count, "singles final", teller).await?;
        report.single_latency = latency(&done);
        report.singles_offered_per_second = 1.0 / options.single_every.as_secs_f64();
        teller.say(&format!("issued: {count} single diplomas, all final"));
        Ok(())
    }

    /// Waits until the observer has what the validators have; gives the height.
    async fn observer_is_level(&self) -> Result<Height, DevnetError> {
        let mut height = Height::GENESIS;
        for client in self.clients.read().await.iter().flatten() {
            height = height.max(client.node_info().await?.as_of.height);
        }
        self.reaches(&self.observer, height).await?;
        Ok(height)
    }

    pub(super) async fn reaches(&self, client: &Client, height: Height) -> Result<(), DevnetError> {
        let deadline = Instant::now() + COMES_WITHIN;
        loop {
            let head = client.node_info().await?.as_of.height;
            if head >= height {
                return Ok(());
            }
            late(deadline, "following", &format!("{} is at {head}, not at {height}", client.address()))?;
            sleep(LOOK_EVERY).await;
        }
    }

    pub(super) async fn any_client(&self) -> Client {
        self.clients.read().await.iter().flatten().next().expect("three of four are always up").clone()
    }

    /// Submits through any node, waits until it is final, and until the observer has it.
    pub(super) async fn make_final(&self, transaction: &Transaction) -> Result<Height, DevnetError> {
        let client = self.any_client().await;
        let height = match client.submit_and_track(transaction).await? {
            End::Final { position, .. } => position.height,
            End::Refused(refused) => return Err(ClientError::Refused(refused).into()),
        };
        self.reaches(&self.observer, height).await?;
        Ok(height)
    }

    /// Every node holds the same block at the highest height that all have.
    async fn compare(&self, report: &mut Report, teller: &impl Teller) -> Result<(), DevnetError> {
        let mut clients: Vec<Client> = self.clients.read().await.iter().flatten().cloned().collect();
        clients.push(self.observer.clone());
        let mut highest = Height::GENESIS;
        for client in &clients {
            highest = highest.max(client.node_info().await?.as_of.height);
        }
        let mut common = highest;
        for client in &clients {
            self.reaches(client, highest).await?;
            common = common.min(client.node_info().await?.as_of.height);
        }
        for (client, node) in clients.iter().zip(&self.nodes) {
            report.nodes.push(NodeAt {
                name: node.name().to_owned(),
                block: checks::hash_at(client, common).await?,
                resident_bytes_max: node.resident_bytes(),
            });
        }
        report.common_height = common.0;
        report.blocks = common.0;
        for height in 1..=common.0 {
            let (_, finalization) = self.observer.header(Height(height)).await?;
            report.views += finalization.map_or(0, |certificate| u64::from(certificate.slot().view.0));
        }
        if report.nodes.iter().any(|node| node.block != report.nodes[0].block) {
            return Err(DevnetError::broken("comparing", format!("the nodes differ at height {common}")));
        }
        teller.say(&format!("compared: all five nodes hold the same block at height {common}"));
        Ok(())
    }
}

async fn follow(
    mut under_way: JoinSet<Result<Done, DevnetError>>,
    count: usize,
    what: &str,
    teller: &impl Teller,
) -> Result<Vec<Done>, DevnetError> {
    let mut done = Vec::with_capacity(count);
    while let Some(ended) = under_way.join_next().await {
        done.push(ended.map_err(|error| DevnetError::broken("issuing", error.to_string()))??);
        teller.progress(what, done.len(), count);
    }
    Ok(done)
}

fn latency(done: &[Done]) -> Latency {
    Latency::of(done.iter().map(|one| (one.ended - one.began).as_secs_f64() * 1_000.0).collect())
}

pub(super) fn late(deadline: Instant, step: &'static str, what: &str) -> Result<(), DevnetError> {
    if Instant::now() < deadline { Ok(()) } else { Err(DevnetError::broken(step, what)) }
}
