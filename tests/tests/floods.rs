//! A second of every kind of flood, on every port. `cargo floods` floods for longer.

use std::{path::Path, time::Duration};

use tanba_tests::floods::{Field, kinds};

/// How long each kind lasts, at least: a client's diploma is waited for.
const EACH: Duration = Duration::from_secs(1);

#[test]
fn under_every_flood_memory_stays_bounded_and_diplomas_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Path::new(env!("CARGO_BIN_EXE_tanba-under-test"));
    tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let mut field = Field::prepare(program, folder.path()).await;
        // Calm says nothing here: unoptimised, floods cost the victim far more than the client's diplomas do.
        for kind in kinds() {
            let damage = field.run(kind, EACH).await;
            damage.unwrap_or_else(|harm| panic!("{}: {harm}", kind.name));
        }
    });
}
