//! Invented classes and reproducible random bytes, for the tests of this folder.

use tanba_crypto::Hash;
use tanba_ledger::{Bin, ChainId, Day, Timestamp, operation::Basis};

use super::{Order, Prepared, RandomError, RandomSource, Row, prepare};

/// Random bytes from a counter: SHA-256 over seed and count.
pub(crate) struct CounterRandom {
    seed: u8,
    count: u64,
}

impl CounterRandom {
    pub(crate) fn new(seed: u8) -> CounterRandom {
        CounterRandom { seed, count: 0 }
    }
}

impl RandomSource for CounterRandom {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        for chunk in bytes.chunks_mut(32) {
            self.count += 1;
            let block = Hash::plain(&[&[self.seed], self.count.to_be_bytes().as_slice()].concat());
            chunk.copy_from_slice(&block.as_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

pub(crate) use tanba_office::testkit::{HEADER, line, rows};

pub(crate) fn order() -> Order<'static> {
    Order {
        chain: ChainId(Hash([9; 32])),
        issuer: Bin::with_control_digit(10_000_000_000).expect("has a control digit"),
        issued_on: Day(20_640),
        expiry: Timestamp(1_783_000_000_000),
        audit: None,
        basis: Basis::Award,
        decision: b"order no. 1 of an invented university",
        entries_max: 1_000,
        small_consented: false,
    }
}

pub(crate) fn prepared(rows: &[Row], order: &Order<'_>, seed: u8) -> Prepared {
    prepare(rows, order, &mut CounterRandom::new(seed)).expect("prepares")
}
