//! One input, tried: whether the target kept its promises, and what it cost.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use super::{Target, allocations::peak_of};

/// What an input cost that did no harm.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Bytes held at the worst moment.
    pub peak_bytes: usize,
    /// From beginning to end.
    pub took: Duration,
}

/// A promise that an input broke.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Harm {
    /// The decoder, or the check of what it gave, panicked.
    #[error("panicked: {0}")]
    Panic(String),
    /// More was held than the target's bound allows.
    #[error("held {peak_bytes} bytes for an input of {length}, the bound is {bound}")]
    Memory {
        /// What was held.
        peak_bytes: usize,
        /// The input's length.
        length: usize,
        /// What it may cost.
        bound: usize,
    },
}

impl Harm {
    /// Whether two harms are the same mistake, as far as can be told.
    pub fn is_like(&self, other: &Harm) -> bool {
        match (self, other) {
            (Harm::Panic(one), Harm::Panic(two)) => place(one) == place(two),
            (Harm::Memory { .. }, Harm::Memory { .. }) => true,
            (Harm::Panic(_), Harm::Memory { .. }) | (Harm::Memory { .. }, Harm::Panic(_)) => false,
        }
    }
}

/// The file and line with which a panic's text begins.
fn place(panic: &str) -> &str {
    panic.split(": ").next().unwrap_or_default()
}

thread_local! {
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// From now on a panic is kept for [`try_input`] instead of being printed: a hunt may meet thousands.
pub fn keep_panics_quiet() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let payload = panic.payload();
        let literal = payload.downcast_ref::<&str>().copied();
        let text =
            literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text");
        // The thread that panics may be ending; then nobody asks.
        let _ = LAST_PANIC.try_with(|last| last.replace(format!("{place}: {text}")));
    }));
}

/// Tries one input. Memory is held against the target's bound where this program counts it.
pub fn try_input(target: &Target, input: &[u8]) -> Result<Cost, Harm> {
    let begun = Instant::now();
    let (ended, peak_bytes) = peak_of(|| catch_unwind(AssertUnwindSafe(|| (target.attack)(input))));
    if let Err(payload) = ended {
        let kept = LAST_PANIC.take();
        let text = payload.downcast_ref::<String>().cloned().unwrap_or_default();
        return Err(Harm::Panic(if kept.is_empty() { text } else { kept }));
    }
    let bound = target.bound.of(input.len());
    if peak_bytes > bound {
        return Err(Harm::Memory { peak_bytes, length: input.len(), bound });
    }
    Ok(Cost { peak_bytes, took: begun.elapsed() })
}

/// The shortest input found that does the same harm: pieces are left out as long as it still does.
pub fn shorten(target: &Target, input: &[u8], harm: &Harm) -> Vec<u8> {
    let still = |bytes: &[u8]| try_input(target, bytes).is_err_and(|other| other.is_like(harm));
    let mut best = input.to_vec();
    let mut piece = best.len().next_power_of_two() / 2;
    while piece > 0 {
        let mut at = 0;
        while at < best.len() {
            let mut shorter = best.clone();
            shorter.drain(at..best.len().min(at + piece));
            if still(&shorter) {
                best = shorter;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    best
}
