//! The suite against known mistakes: each is switched on, and what should notice it is run until it does.
//!
//! Built with the feature `planted` alone. A mistake counts as caught when a part of the suite that is silent
//! without it reports a violation; the control run shows the silence.

use std::{
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use tanba_crypto::planted::{Defect, plant};
use tanba_ledger::{state::genesis_state, testkit};
use tanba_storage::{DiskStore, StoreError, replay::by_the_rules};

use crate::{
    model,
    sim::{self, Trace},
};

/// How much the suite may do for one mistake.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Seeds of the simulator.
    pub seeds: u64,
    /// States of each scope of the model.
    pub states: u64,
    /// Threads.
    pub threads: usize,
}

/// Who noticed a mistake, and by what.
#[derive(Clone, Debug)]
pub struct Caught {
    /// Which part of the suite, and where in it.
    pub by: String,
    /// What it said.
    pub what: String,
}

impl fmt::Display for Caught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.by, self.what)
    }
}

/// Runs what should notice `defect` (or, for `None`, what should notice nothing) until something does. An error says
/// what fails without any mistake: whatever seems to notice one by failing has noticed nothing.
pub fn hunt(defect: Option<Defect>, budget: &Budget) -> Result<Option<Caught>, String> {
    plant(defect);
    let caught = look(defect, budget);
    plant(None);
    caught
}

/// Some mistakes are plain at the first look, some only in a search of all orders, some only by luck.
fn look(defect: Option<Defect>, budget: &Budget) -> Result<Option<Caught>, String> {
    let first_seeds = budget.seeds.min(2_500);
    let parts: [&dyn Fn() -> Result<Option<Caught>, String>; 4] = [
        &|| check_store(defect),
        &|| simulate(defect, 1..first_seeds + 1, budget.threads),
        &|| explore(defect, budget),
        &|| simulate(defect, first_seeds + 1..budget.seeds + 1, budget.threads),
    ];
    let found = parts.iter().find_map(|part| part().transpose());
    found.transpose()
}

/// The store on disk refuses to work where syncs are not real, and says that this is why.
fn check_store(defect: Option<Defect>) -> Result<Option<Caught>, String> {
    if defect.is_some_and(|defect| defect != Defect::NoRealSync) {
        return Ok(None);
    }
    let folder = tempfile::tempdir().expect("a folder for a store");
    let genesis = genesis_state(&testkit::records()).expect("records that fit together");
    let founded = DiskStore::create(folder.path(), &genesis.block, genesis.delta);
    let opened =
        founded.and_then(|()| DiskStore::open(folder.path(), &genesis.chain, &by_the_rules).map(drop));
    match opened {
        Ok(()) => Ok(None),
        Err(error @ StoreError::NotDurable(_)) => {
            Ok(Some(Caught { by: "the store's own check".to_owned(), what: error.to_string() }))
        }
        Err(error) => Err(format!("a new store does not open, for another reason than its syncs: {error}")),
    }
}

fn simulate(
    defect: Option<Defect>,
    seeds: std::ops::Range<u64>,
    threads: usize,
) -> Result<Option<Caught>, String> {
    let next = AtomicU64::new(seeds.start);
    let done = AtomicBool::new(false);
    let caught: Mutex<Option<(u64, Caught)>> = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    if let Err(violation) = sim::run(seed, Trace::silent()) {
                        let by = format!("cargo sim, seed {seed}");
                        *caught.lock().expect("no thread panics here") =
                            Some((seed, Caught { by, what: violation.what.clone() }));
                        done.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let caught = caught.into_inner().expect("no thread panics here");
    if let (Some((seed, _)), true) = (&caught, defect.is_some()) {
        plant(None);
        let anyway = sim::run(*seed, Trace::silent());
        plant(defect);
        anyway.map_err(|found| format!("seed {seed} fails without any mistake: {}", found.what))?;
    }
    Ok(caught.map(|(_, caught)| caught))
}

fn explore(defect: Option<Defect>, budget: &Budget) -> Result<Option<Caught>, String> {
    for scope in model::scope::scopes() {
        let Some(found) = model::explore(&scope, budget.states).found else { continue };
        if defect.is_some() {
            plant(None);
            let anyway = model::explore(&scope, budget.states).found;
            plant(defect);
            if let Some(found) = anyway {
                return Err(format!("scope {} fails without any mistake: {}", scope.name, found.violation));
            }
        }
        let by = format!("cargo model, scope {}, {} steps", scope.name, found.trace.len());
        return Ok(Some(Caught { by, what: found.violation.to_string() }));
    }
    Ok(None)
}
