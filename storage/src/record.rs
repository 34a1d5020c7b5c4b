//! The small records by which the store knows where it stands.

use tanba_crypto::canonical::{Decode, Encode};
use tanba_ledger::{
    BlockHash, ChainId, Header, Height, ValidatorSet,
    merkle::Frontier,
    record::Params,
    state::{TableRoots, Tip},
};

/// The layout this version writes and reads.
pub(crate) const FORMAT: u32 = 1;

/// What the store is and of which network.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Format {
    pub(crate) format: u32,
    pub(crate) chain: ChainId,
}

/// The last block that is decided and behind the barrier.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Head {
    pub(crate) height: Height,
    pub(crate) hash: BlockHash,
}

/// The keys a block is about to write, by their number of pieces.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Pending {
    pub(crate) height: Height,
    pub(crate) header: u16,
    pub(crate) finalization: u16,
    pub(crate) body: u16,
}

/// The height for which everything derived is on disk: the name of the checkpoint in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Derived {
    pub(crate) height: Height,
}

/// Where the chain stood when derived state was last written, but for the header, which the blocks hold.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Checkpoint {
    pub(crate) hash: BlockHash,
    pub(crate) roots: TableRoots,
    pub(crate) history: Frontier,
    pub(crate) validators: ValidatorSet,
    pub(crate) params: Params,
    /// The set that decided the checkpoint's own block.
    pub(crate) electors: ValidatorSet,
}

impl Checkpoint {
    pub(crate) fn of(tip: &Tip, electors: &ValidatorSet) -> Checkpoint {
        Checkpoint {
            hash: tip.hash,
            roots: tip.roots.clone(),
            history: tip.history.clone(),
            validators: tip.validators.clone(),
            params: tip.params.clone(),
            electors: electors.clone(),
        }
    }

    /// Joins the checkpoint with the header of its height, if the two belong together.
    pub(crate) fn into_tip(self, header: Header) -> Option<(Tip, ValidatorSet)> {
        let fits = header.hash() == self.hash
            && header.state == self.roots.root()
            && header.next_validators == self.validators.hash()
            && (header.height == Height::GENESIS || header.validators == self.electors.hash())
            && self.history.size == header.height.0 + 1;
        fits.then(|| {
            let Checkpoint { hash, roots, history, validators, params, electors } = self;
            (Tip { header, hash, roots, history, validators, params }, electors)
        })
    }
}

#[cfg(test)]
mod tests {
    use tanba_crypto::{Canonical, Hash};
    use tanba_ledger::testkit::World;

    use super::*;

    /// A record as it lies on disk; a change of these bytes changes [`FORMAT`].
    fn hex(record: &impl Canonical) -> String {
        record.to_canonical().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn records_on_disk_are_pinned() {
        let (chain, block) = (ChainId(Hash([1; 32])), BlockHash(Hash([2; 32])));
        let (ones, twos) = ("01".repeat(32), "02".repeat(32));
        assert_eq!(FORMAT, 1);
        assert_eq!(hex(&Format { format: FORMAT, chain }), format!("00000001{ones}"));
        assert_eq!(hex(&Head { height: Height(7), hash: block }), format!("0000000000000007{twos}"));
        let pending = Pending { height: Height(7), header: 1, finalization: 2, body: 3 };
        assert_eq!(hex(&pending), "0000000000000007000100020003");
        assert_eq!(hex(&Derived { height: Height(7) }), "0000000000000007");
        let world = World::new();
        let checkpoint = Checkpoint::of(&world.tip, &world.tip.validators).to_canonical();
        let named = Hash::plain(&checkpoint).to_string();
        assert_eq!(
            (checkpoint.len(), &named[..16]),
            (835, "f046ff828b510088"),
            "the checkpoint of the test kit's genesis"
        );
    }
}
