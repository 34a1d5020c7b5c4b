//! The network that harmless tests share. It lives as long as the test process: its nodes stop when their
//! standard input closes, and its folder goes with the next run.
//!
//! Universities 0 and 1 are in good order; 2 lost its accreditation at the end of 2020, 3 its permit yesterday.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use tanba_genesis::Genesis;
use tanba_ledger::{Day, Timestamp};
use tanba_node::clock;
use tanba_tests::network::Network;
use tokio::runtime::Runtime;

use crate::program;

/// The university whose accreditation lapsed.
pub(crate) const UNACCREDITED: usize = 2;

/// The university whose permit lapsed.
pub(crate) const UNLICENSED: usize = 3;

/// Genesis lies so far back, in days: a permit must be in force when a network begins.
const AGE_DAYS: u32 = 10;

static SHARED: LazyLock<(Runtime, Network)> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime");
    let network = runtime.block_on(Network::run_with(program(), &own_folder(), lapse));
    (runtime, network)
});

/// Runs a test against the shared network.
pub(crate) fn shared(test: impl AsyncFnOnce(&Network)) {
    let (runtime, network) = &*SHARED;
    runtime.block_on(test(network));
}

/// A folder named after this process; those of processes that ended are removed.
fn own_folder() -> PathBuf {
    const PREFIX: &str = "shared-network-";
    let all = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for entry in fs::read_dir(all).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix(PREFIX);
        if owner.is_some_and(|owner| !Path::new("/proc").join(owner).exists()) {
            fs::remove_dir_all(entry.path()).expect("an old folder is removed");
        }
    }
    all.join(format!("{PREFIX}{}", std::process::id()))
}

fn lapse(genesis: &mut Genesis) {
    let today = clock::now().day();
    genesis.time = Timestamp(genesis.time.0 - u64::from(AGE_DAYS) * 24 * 3_600_000);
    for (_, accreditation) in &mut genesis.members[UNACCREDITED].accreditations {
        accreditation.to = Day::from_date(2020, 12, 31).expect("a date");
    }
    let regime = genesis.members[UNLICENSED].institution.regime.as_mut().expect("a university's permit");
    regime.to = Day(today.0 - 1);
}
