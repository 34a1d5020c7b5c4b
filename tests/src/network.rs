//! A network of real processes: four universities that vote and a ministry that observes, founded in a folder,
//! started, asked, hurt and stopped.
//!
//! Nothing here waits for a fixed time: [`eventually`] looks again and again until what is awaited is there, and
//! fails with the name of what did not come.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use tanba_genesis::{Genesis, GenesisDocument};
use tanba_ledger::{
    Approval, Height, Month, Operation, Transaction, TransactionBody, TransactionId, operation::Issue,
    proof::Checkpoint, record::KeyRole, testkit, transaction::factor,
};
use tanba_node::{
    cli::init::initialise,
    client::{Client, End, NodeStatus, Trust},
    clock,
    devnet::{Founded, NodeProcess, Party, ProcessError, found},
};
use tanba_proto::ledger::v1::Voting;
use tanba_storage::Position;
use tokio::{
    process::Command,
    sync::Mutex,
    time::{Instant, sleep, timeout},
};

/// Universities, each with a validator: nodes 0 to 3.
pub const VALIDATORS: usize = 4;

/// The number of the observer's node.
pub const OBSERVER: usize = VALIDATORS;

/// What is awaited comes within this on the slowest machine, or it never will.
pub const COMES_WITHIN: Duration = Duration::from_secs(90);

/// From one look to the next.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A transaction may become final within this of being made, in milliseconds.
const EXPIRES_AFTER_MS: u64 = 3_600_000;

/// An answer may be so old, in milliseconds: with a heartbeat every 5 s, older is a node that fell behind.
const MAX_AGE_MS: u64 = 120_000;

/// Ports are chosen when a network is founded and taken when it starts; in between, no other network of this
/// process may be given the same ones.
static STARTING: Mutex<()> = Mutex::const_new(());

/// Looks until there is something to see.
///
/// # Panics
/// If it does not come within [`COMES_WITHIN`].
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + COMES_WITHIN;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < deadline, "in vain awaited: {what}");
        sleep(LOOK_EVERY).await;
    }
}

/// Sends a signal, by name, to processes: all of them by one call of `kill`.
pub fn signal(name: &str, pids: &[u32]) {
    let pids = pids.iter().map(u32::to_string);
    let sent = std::process::Command::new("kill").arg(format!("-{name}")).args(pids).status();
    assert!(sent.expect("`kill` runs").success(), "the signal {name} is delivered");
}

/// Processes with `text` in their command line, where the system lists them.
pub fn processes_with(text: &str) -> Vec<u32> {
    let pid = |entry: fs::DirEntry| entry.file_name().to_string_lossy().parse::<u32>().ok();
    let is_one = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(text)
    };
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| pid(entry.ok()?)).filter(is_one).collect()
}

/// Runs the program to its end, which must come by itself.
pub async fn run_to_end(program: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(COMES_WITHIN, command.output()).await;
    output.expect("the program ends by itself").expect("the program starts")
}

/// A founded network, and those of its processes that run.
#[derive(Debug)]
pub struct Network {
    /// Genesis, keys and homes.
    pub founded: Founded,
    /// Four validators, then the observer.
    pub nodes: Vec<NodeProcess>,
    /// A connection to each, once it was ready.
    clients: Vec<Option<Client>>,
}

impl Network {
    /// Founds a network in `folder`; nothing is started.
    pub fn found(program: &Path, folder: &Path) -> Network {
        let scopes = vec![BTreeSet::from([testkit::scope()]); VALIDATORS];
        let founded = found(folder, &scopes).expect("a network is founded");
        let node = |party: &Party| {
            NodeProcess::new(&party.name, program, party.home.as_ref().expect("a node has a home"))
        };
        let nodes: Vec<NodeProcess> = founded.with_nodes().map(node).collect();
        let clients = vec![None; nodes.len()];
        Network { founded, nodes, clients }
    }

    /// As [`Network::found`], with other first facts: keys and homes stay, genesis and stores are made anew.
    pub fn found_with(program: &Path, folder: &Path, change: impl FnOnce(&mut Genesis)) -> Network {
        let mut network = Network::found(program, folder);
        let mut genesis = network.founded.genesis.genesis().clone();
        change(&mut genesis);
        let genesis = GenesisDocument::new("devnet", genesis).expect("facts that fit together");
        for party in network.founded.with_nodes() {
            let home = party.home.as_ref().expect("a node has a home");
            fs::remove_file(home.genesis_file()).expect("was founded");
            fs::remove_dir_all(home.store_dir()).expect("was founded");
            fs::remove_dir_all(home.journal_dir()).expect("was founded");
            let validator = party.validator.as_ref().map(|key| key.public());
            initialise(home, &genesis, validator).expect("a home is made");
        }
        network.founded.genesis = genesis;
        network
    }

    /// Founds and starts a network; every validator votes when this returns.
    pub async fn run(program: &Path, folder: &Path) -> Network {
        let _turn = STARTING.lock().await;
        let mut network = Network::found(program, folder);
        network.start_all().await;
        network
    }

    /// As [`Network::run`], with other first facts.
    pub async fn run_with(program: &Path, folder: &Path, change: impl FnOnce(&mut Genesis)) -> Network {
        let _turn = STARTING.lock().await;
        let mut network = Network::found_with(program, folder, change);
        network.start_all().await;
        network
    }

    /// Starts every node; every validator votes when this returns.
    pub async fn start_all(&mut self) {
        for node in &mut self.nodes {
            node.start().expect("a process starts");
        }
        for number in 0..self.nodes.len() {
            let client = self.nodes[number].ready().await.expect("the node answers");
            self.clients[number] = Some(client);
        }
        for number in 0..VALIDATORS {
            self.votes(number).await;
        }
    }

    /// Starts one node and waits until it answers.
    pub async fn start(&mut self, number: usize) {
        self.try_start(number).await.expect("the node answers");
    }

    /// As [`Network::start`], for a node that may refuse.
    pub async fn try_start(&mut self, number: usize) -> Result<(), ProcessError> {
        self.nodes[number].start()?;
        self.clients[number] = Some(self.nodes[number].ready().await?);
        Ok(())
    }

    /// Kills one node, if it still runs.
    pub async fn kill(&mut self, number: usize) {
        self.clients[number] = None;
        self.nodes[number].kill().await.expect("is gone");
    }

    /// Stops one node in good order.
    pub async fn stop(&mut self, number: usize) {
        self.clients[number] = None;
        self.nodes[number].stop().await.expect("stops in good order");
    }

    /// Stops every node in good order.
    pub async fn stop_all(&mut self) {
        for number in 0..self.nodes.len() {
            self.stop(number).await;
        }
    }

    /// Waits for the end of a node that ends by itself.
    pub async fn ended(&mut self, number: usize) -> ProcessError {
        let node = &mut self.nodes[number];
        let end = eventually("the node ends", async || node.check_running().err()).await;
        self.clients[number] = None;
        end
    }

    /// The connection to a node that runs.
    pub fn client(&self, number: usize) -> &Client {
        self.clients[number].as_ref().expect("the node runs")
    }

    /// The folder of a node.
    pub fn home(&self, number: usize) -> PathBuf {
        self.nodes[number].home().root().to_owned()
    }

    /// What a node has logged, in all its lives.
    pub fn log(&self, number: usize) -> String {
        String::from_utf8_lossy(&fs::read(self.nodes[number].log_path()).unwrap_or_default()).into_owned()
    }

    /// What a verifier trusts: genesis and its own clock.
    pub fn trust(&self) -> Trust {
        let checkpoint = Checkpoint::of(&self.founded.genesis.block().header);
        Trust { checkpoint, now: clock::now(), max_age_ms: MAX_AGE_MS }
    }

    /// How a node says it is doing.
    pub async fn status(&self, number: usize) -> NodeStatus {
        self.client(number).node_status().await.expect("the node answers")
    }

    /// The head of a node.
    pub async fn height(&self, number: usize) -> Height {
        self.client(number).node_info().await.expect("the node answers").as_of.height
    }

    /// Waits until a node votes.
    pub async fn votes(&self, number: usize) {
        let voting = async || (self.status(number).await.voting() == Voting::Voting).then_some(());
        eventually("the validator votes", voting).await;
    }

    /// Waits until a node has `height`.
    pub async fn reaches(&self, number: usize, height: Height) {
        let there = async || (self.height(number).await >= height).then_some(());
        eventually("the node follows", there).await;
    }

    /// The body of an operation of a university.
    pub fn body(&self, university: usize, operation: Operation) -> TransactionBody {
        TransactionBody {
            chain: self.founded.genesis.chain_id(),
            institution: self.founded.universities()[university].bin,
            expiry: clock::now().saturating_add_ms(EXPIRES_AFTER_MS),
            operation,
            audit: None,
        }
    }

    /// A body approved by the registrar and the approver of a university.
    pub fn approved(&self, university: usize, body: TransactionBody) -> Transaction {
        let party = &self.founded.universities()[university];
        let officers = [(KeyRole::Registrar, &party.registrar), (KeyRole::Approver, &party.approver)];
        let (chain, id) = (body.chain, body.id());
        let mut transaction = Transaction { body, approvals: Vec::new() };
        for (role, key) in officers {
            transaction.approve(Approval::by_officer(&chain, id, role, factor::KEY, key));
        }
        transaction
    }

    /// A university issues `count` diplomas from number `first` on.
    pub fn issue(&self, university: usize, first: u64, count: u64) -> Transaction {
        self.approved(university, self.body(university, Operation::Issue(award(first, count))))
    }

    /// Submits through a node and waits until the transaction is final.
    pub async fn make_final(&self, number: usize, transaction: &Transaction) -> Position {
        let ended = timeout(COMES_WITHIN, self.client(number).submit_and_track(transaction)).await;
        match ended.expect("the transaction comes to its end").expect("the node answers") {
            End::Final { position, .. } => position,
            End::Refused(refused) => panic!("refused: {refused}"),
        }
    }

    /// Asks a node, checks from genesis that the transaction is final, and gives the place.
    pub async fn proven(&self, number: usize, id: TransactionId) -> Height {
        let (included, _) =
            self.client(number).receipt(id, &self.trust()).await.expect("a receipt that holds");
        included.height
    }
}

/// An award of `count` diplomas from number `first` on, in a month that lies in the past wherever a clock is
/// right, and in which every university was accredited.
pub fn award(first: u64, count: u64) -> Issue {
    Issue { awarded_month: Month::new(2024, 6).expect("a month"), ..testkit::award(first, count) }
}
