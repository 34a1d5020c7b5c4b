//! Dealing diplomas into transactions, at random: neither a batch nor a place in it follows the list.
//!
//! A batch below [`SMALL_BATCH`] entries would let a published graduation list point at few tokens, so it is made only of
//! those whose holders were told. Entries stand in order of F, which is random.

use std::collections::BTreeSet;

use tanba_ledger::{
    Month, Scope,
    limits::SMALL_BATCH,
    operation::{Basis, Entry, Issue, Right},
};
use tanba_vault::Random;

/// Shuffles `items` by the random bytes given.
pub fn shuffle<T>(items: Vec<T>, random: Random<'_>) -> Vec<T> {
    let mut dealt: Vec<([u8; 16], T)> = Vec::with_capacity(items.len());
    for item in items {
        let mut place = [0; 16];
        random(&mut place);
        dealt.push((place, item));
    }
    dealt.sort_by_key(|(place, _)| *place);
    dealt.into_iter().map(|(_, item)| item).collect()
}

/// Deals `items` at random into as few batches of at most `entries_max` as they need, of nearly the same size.
pub fn deal<T>(items: Vec<T>, entries_max: usize, random: Random<'_>) -> Vec<Vec<T>> {
    let (count, batches) = (items.len(), items.len().div_ceil(entries_max));
    let mut dealt = shuffle(items, random).into_iter();
    let size = |batch: usize| count / batches + usize::from(batch < count % batches);
    (0..batches).map(|batch| dealt.by_ref().take(size(batch)).collect()).collect()
}

/// Whether so many items, dealt so, would make a small batch.
pub fn makes_small(count: usize, entries_max: usize) -> bool {
    count > 0 && count / count.div_ceil(entries_max) < SMALL_BATCH
}

/// The operation that issues these, whose decision is committed to by `decision`.
pub fn issue(
    scopes: impl IntoIterator<Item = Scope>,
    mut entries: Vec<Entry>,
    month: Month,
    basis: Basis,
    decision: tanba_crypto::Hash,
) -> Issue {
    entries.sort_unstable();
    let distinct = entries.windows(2).all(|pair| pair[0].fingerprint < pair[1].fingerprint);
    assert!(distinct, "256 random bits do not repeat");
    Issue {
        scopes: scopes.into_iter().collect::<BTreeSet<_>>().into_iter().collect(),
        awarded_month: month,
        decision,
        basis,
        right: Right::Qualification,
        small: entries.len() < SMALL_BATCH,
        entries,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that differ from call to call, the same in every run.
    fn random() -> impl FnMut(&mut [u8]) {
        let mut count = 0u64;
        move |bytes: &mut [u8]| {
            count += 1;
            let block = tanba_crypto::Hash::plain(&count.to_be_bytes());
            bytes.copy_from_slice(&block.as_bytes()[..bytes.len()]);
        }
    }

    #[test]
    fn every_item_is_dealt_once_into_batches_of_nearly_one_size() {
        for (count, entries_max, sizes) in [(130, 60, vec![44, 43, 43]), (20, 20, vec![20]), (0, 20, vec![])]
        {
            let dealt = deal((0..count).collect(), entries_max, &mut random());
            assert_eq!(dealt.iter().map(Vec::len).collect::<Vec<_>>(), sizes);
            let mut all: Vec<u32> = dealt.into_iter().flatten().collect();
            assert!(count == 0 || !all.is_sorted(), "the order of the list is gone");
            all.sort_unstable();
            assert_eq!(all, (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_batch_is_small_below_twenty() {
        for (count, entries_max, small) in
            [(19, 1_000, true), (20, 1_000, false), (30, 20, true), (40, 20, false), (0, 20, false)]
        {
            assert_eq!(makes_small(count, entries_max), small, "{count} by {entries_max}");
        }
    }
}
