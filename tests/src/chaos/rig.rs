//! The network that is hurt: four validators as processes, each with a door for clients, and the load on them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::Deserialize;
use tanba_ledger::Height;
use tanba_node::{
    client::Client,
    devnet::{NodeProcess, ProcessError},
};
use tanba_proto::ledger::v1::Voting;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::{
    Plan, Stopped,
    contention::Moment,
    disk::in_memory,
    failed,
    kept::{Looks, Owed},
    load::{Door, Load},
    ports,
    report::Resume,
};
use crate::network::{Network, VALIDATORS, signal};

/// After every full stop commits must go on within this, without the wait for cores that other programs keep.
pub(super) const RESUMES_WITHIN: Duration = Duration::from_secs(10);

/// What is no promise of time comes within this, or never.
pub(super) const COMES_WITHIN: Duration = Duration::from_secs(60);

/// Every thread of a process takes note of a signal within this.
const FREEZES_WITHIN: Duration = Duration::from_secs(1);

/// From one look to the next.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What a node wrote of itself.
#[derive(Deserialize)]
struct Endpoints {
    pid: u32,
    grpc: String,
}

/// A node of the rig.
#[derive(Debug)]
pub(super) struct Hurt {
    /// Its process.
    pub(super) process: NodeProcess,
    door: watch::Sender<Option<Client>>,
    opener: Option<JoinHandle<()>>,
    /// The highest block that it was heard to have.
    answered: Height,
    /// Its store was last looked into when so many transactions in all were acknowledged.
    looked_at: usize,
}

/// Four validators under load.
#[derive(Debug)]
pub(super) struct Rig {
    /// Keys and genesis; its own processes are the rig's.
    pub(super) network: Arc<Network>,
    /// The validators.
    pub(super) nodes: Vec<Hurt>,
    /// What is submitted to them.
    pub(super) load: Load,
    looks: Looks,
}

impl Rig {
    /// Founds a network in `folder`; nothing runs yet. The observer is not part of it.
    pub(super) fn found(plan: &Plan, folder: &Path) -> Rig {
        let mut network = Network::found(&plan.program, folder);
        ports::settle(&mut network);
        let mut processes = std::mem::take(&mut network.nodes);
        processes.truncate(VALIDATORS);
        let network = Arc::new(network);
        let hurt = |process| Hurt {
            process,
            door: watch::Sender::new(None),
            opener: None,
            answered: Height::GENESIS,
            looked_at: 0,
        };
        let nodes: Vec<Hurt> = processes.into_iter().map(hurt).collect();
        let doors: Vec<Door> = nodes.iter().map(|node| node.door.subscribe()).collect();
        let load = Load::start(network.clone(), doors);
        // In memory, where a scenario has a folder there.
        let beside = Some(in_memory(&plan.folder)).filter(|folder| folder.is_dir());
        let name = folder.file_name().unwrap_or_default();
        let copies = beside.unwrap_or_else(|| plan.folder.clone()).join(name);
        let looks = Looks::new(network.founded.genesis.chain_id(), copies);
        Rig { network, nodes, load, looks }
    }

    /// Founds and starts; every validator votes when this returns.
    pub(super) async fn run(plan: &Plan, folder: &Path) -> Result<Rig, Stopped> {
        let mut rig = Rig::found(plan, folder);
        rig.start_all().await?;
        Ok(rig)
    }

    /// Starts every validator that does not run; all vote when this returns.
    pub(super) async fn start_all(&mut self) -> Result<(), Stopped> {
        for number in 0..VALIDATORS {
            self.start(number)?;
        }
        for number in 0..VALIDATORS {
            self.votes(number).await?;
        }
        Ok(())
    }

    /// Starts a process, unless it runs; its door opens when it answers. That its store holds what it has answered
    /// for is looked at as it is now.
    pub(super) fn start(&mut self, number: usize) -> Result<(), Stopped> {
        if self.nodes[number].process.pid().is_some() {
            return Ok(());
        }
        self.look(number)?;
        self.start_at_once(number)
    }

    /// As [`Rig::start`] for one that does not run, in the middle of many: while earlier looks are under way none is
    /// begun, and what the node has answered for is asked at a later start.
    pub(super) fn start_in_haste(&mut self, number: usize) -> Result<(), Stopped> {
        if !self.looks.are_under_way()? {
            self.look(number)?;
        }
        self.start_at_once(number)
    }

    fn start_at_once(&mut self, number: usize) -> Result<(), Stopped> {
        let node = &mut self.nodes[number];
        node.process.start()?;
        let pid = node.process.pid().expect("it was just started");
        let endpoints = node.process.home().endpoints_file();
        node.opener = Some(tokio::spawn(open(endpoints, pid, node.door.clone())));
        Ok(())
    }

    /// Starts a node by another program: the same node, under something that hurts it.
    pub(super) fn start_by(&mut self, number: usize, program: &Path) -> Result<(), Stopped> {
        let node = &mut self.nodes[number];
        node.process = NodeProcess::new(node.process.name(), program, node.process.home());
        self.start(number)
    }

    /// Begins to look for what a node that does not run has answered for, in its store.
    pub(super) fn look(&mut self, number: usize) -> Result<(), Stopped> {
        let node = &mut self.nodes[number];
        let (transactions, in_all) = self.load.acknowledged_by(number, node.looked_at);
        node.looked_at = in_all;
        let acknowledged = transactions.iter().map(|one| one.height).max();
        node.heard(acknowledged.unwrap_or_default());
        let owed = Owed { height: node.answered, transactions };
        self.looks.begin(node.process.name(), node.process.home().root(), owed)
    }

    /// Every store that was looked into held what its node had answered for.
    pub(super) async fn looked(&mut self) -> Result<(), Stopped> {
        self.looks.end().await
    }

    /// Stores that were looked into, and held what their nodes had answered for.
    pub(super) fn held(&self) -> u64 {
        self.looks.held()
    }

    /// A control: the store of a node that does not run lacks what the node has answered for, and that is seen. Gives
    /// what it lacks.
    pub(super) async fn misses(&mut self, number: usize) -> Result<String, Stopped> {
        self.looked().await?;
        self.look(number)?;
        match self.looked().await {
            Err(Stopped::Failed(what)) => Ok(what.lines().next().unwrap_or_default().to_owned()),
            Err(skipped) => Err(skipped),
            Ok(()) => {
                let name = self.nodes[number].process.name();
                failed(format!("{name} lost blocks on purpose, and nothing was missed: no loss can be seen"))
            }
        }
    }

    /// The store of a node that does not run was put back: what the node has answered for is not asked of it.
    pub(super) fn put_back(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        node.answered = Height::GENESIS;
        (_, node.looked_at) = self.load.acknowledged_by(number, node.looked_at);
    }

    /// SIGKILL, by one call for all of them. A node that had ended by itself is a failure.
    pub(super) async fn kill(&mut self, numbers: &[usize]) -> Result<(), Stopped> {
        for number in numbers {
            self.nodes[*number].process.check_running()?;
        }
        self.kill_what_is_left(numbers).await
    }

    /// Stops nodes where they are. When this returns, none of their threads comes back to their program any more; what
    /// they have asked the system for goes on. A node that had ended by itself is a failure.
    pub(super) fn freeze(&mut self, numbers: &[usize]) -> Result<(), Stopped> {
        let pids: Vec<u32> = numbers.iter().filter_map(|number| self.nodes[*number].process.pid()).collect();
        signal("STOP", &pids);
        let deadline = Instant::now() + FREEZES_WITHIN;
        while !pids.iter().all(|pid| is_frozen(*pid)) {
            if Instant::now() > deadline {
                return failed(format!("processes {pids:?} do not stop within {FREEZES_WITHIN:?}"));
            }
            std::thread::yield_now();
        }
        // Only now: from here on none of them can end.
        for number in numbers {
            self.nodes[*number].process.check_running()?;
        }
        Ok(())
    }

    /// As [`Rig::kill`], where a node may have ended by itself.
    pub(super) async fn kill_what_is_left(&mut self, numbers: &[usize]) -> Result<(), Stopped> {
        let pids: Vec<u32> = numbers.iter().filter_map(|number| self.nodes[*number].process.pid()).collect();
        if !pids.is_empty() {
            signal("KILL", &pids);
        }
        for number in numbers {
            self.nodes[*number].shut();
            self.nodes[*number].process.kill().await?;
        }
        Ok(())
    }

    /// Stops a node in good order.
    pub(super) async fn stop(&mut self, number: usize) -> Result<(), Stopped> {
        self.nodes[number].shut();
        Ok(self.nodes[number].process.stop().await?)
    }

    /// Stops every node in good order, and the load before them.
    pub(super) async fn stop_all(&mut self) -> Result<(), Stopped> {
        self.load.stop();
        for number in 0..VALIDATORS {
            self.stop(number).await?;
        }
        Ok(())
    }

    /// Waits until a node answers.
    pub(super) async fn client(&mut self, number: usize) -> Result<Client, Stopped> {
        let deadline = Instant::now() + COMES_WITHIN;
        loop {
            let node = &mut self.nodes[number];
            if let Some(client) = node.door.borrow().clone() {
                return Ok(client);
            }
            node.process.check_running()?;
            if Instant::now() > deadline {
                return failed(format!("{} does not answer within {COMES_WITHIN:?}", node.process.name()));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until a node votes.
    pub(super) async fn votes(&mut self, number: usize) -> Result<(), Stopped> {
        let deadline = Instant::now() + COMES_WITHIN;
        loop {
            let client = self.client(number).await?;
            let status = client.node_status().await;
            if status.is_ok_and(|status| status.voting() == Voting::Voting) {
                return Ok(());
            }
            self.nodes[number].process.check_running()?;
            if Instant::now() > deadline {
                return failed(format!(
                    "{} does not vote within {COMES_WITHIN:?}",
                    self.nodes[number].process.name()
                ));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// The head of a node.
    pub(super) async fn head(&mut self, number: usize) -> Result<Height, Stopped> {
        let head = self.client(number).await?.node_info().await?.as_of.height;
        self.nodes[number].heard(head);
        Ok(head)
    }

    /// Waits until a node has `height`.
    pub(super) async fn reaches(&mut self, number: usize, height: Height) -> Result<(), Stopped> {
        let deadline = Instant::now() + COMES_WITHIN;
        loop {
            let head = self.head(number).await?;
            if head >= height {
                return Ok(());
            }
            if Instant::now() > deadline {
                let name = self.nodes[number].process.name();
                return failed(format!("{name} is at {head}, not at {height}, after {COMES_WITHIN:?}"));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// This moment, from which commits must go on.
    pub(super) fn now(&self) -> Moment {
        Moment::now(&self.nodes)
    }

    /// From `since` until something submitted is acknowledged above every block that any of these nodes has now. To be
    /// called when all of them were just started, or healed, at `since`.
    pub(super) async fn resumes(&mut self, numbers: &[usize], since: Moment) -> Result<Resume, Stopped> {
        let mut highest = Height::GENESIS;
        for number in numbers {
            highest = highest.max(self.head(*number).await?);
        }
        self.load.acknowledged_above(highest, COMES_WITHIN).await?;
        let resume = since.until(&self.now());
        if resume.own() > RESUMES_WITHIN {
            return failed(format!("commits went on after {resume}, not within {RESUMES_WITHIN:?}"));
        }
        Ok(resume)
    }

    /// Waits for the end of a node that ends by itself; gives its exit code and the end of its log.
    pub(super) async fn ended(&mut self, number: usize) -> Result<(Option<i32>, String), Stopped> {
        let deadline = Instant::now() + COMES_WITHIN;
        loop {
            if let Err(end) = self.nodes[number].process.check_running() {
                self.nodes[number].shut();
                return match end {
                    ProcessError::Ended { status, log, .. } => Ok((status.code(), log)),
                    other => failed(other.to_string()),
                };
            }
            if Instant::now() > deadline {
                return failed(format!("{} does not end", self.nodes[number].process.name()));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// What a node has logged, in all its lives.
    pub(super) fn log(&self, number: usize) -> String {
        let log = std::fs::read(self.nodes[number].process.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// The folder of a node.
    pub(super) fn home(&self, number: usize) -> PathBuf {
        self.nodes[number].process.home().root().to_owned()
    }
}

impl Hurt {
    /// The way in, while it answers.
    pub(super) fn client(&self) -> Option<Client> {
        self.door.borrow().clone()
    }

    /// It said that it has the block at `height`: it must still have that in its next life.
    pub(super) fn heard(&mut self, height: Height) {
        self.answered = height.max(self.answered);
    }

    /// No client gets in any more.
    pub(super) fn shut(&mut self) {
        if let Some(opener) = self.opener.take() {
            opener.abort();
        }
        self.door.send_replace(None);
    }
}

/// Whether every thread of a process stands still, or is in the system and will stand still before it comes back.
fn is_frozen(pid: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return true };
    threads.flatten().all(|thread| {
        // "1234 (name) S …" (proc(5)); the name may hold anything.
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
        state.is_none_or(|state| "TtDZX".contains(state))
    })
}

/// Opens the door of process `pid` when it answers.
async fn open(endpoints: PathBuf, pid: u32, door: watch::Sender<Option<Client>>) {
    loop {
        if let Some(client) = answers(&endpoints, pid).await {
            door.send_replace(Some(client));
            return;
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn answers(endpoints: &Path, pid: u32) -> Option<Client> {
    let text = std::fs::read(endpoints).ok()?;
    let endpoints: Endpoints = serde_json::from_slice(&text).ok()?;
    // The file of an earlier life names an earlier process.
    if endpoints.pid != pid {
        return None;
    }
    let client = Client::connect(&endpoints.grpc).await.ok()?;
    client.node_info().await.ok()?;
    Some(client)
}
