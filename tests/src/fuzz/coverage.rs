//! Which code an input reached.
//!
//! Built through `tests/fuzz/rustc-with-coverage`, the compiler puts one byte at each edge of our crates'
//! control flow and has it counted up when the edge is passed (LLVM's SanitizerCoverage, inline 8-bit counters).
//! Every object file says at start where these bytes lie, by calling the C symbol defined here. Built without, nobody
//! calls it, there are no counters, and no input is ever new.

use std::sync::atomic::{AtomicUsize, Ordering};

static FIRST: AtomicUsize = AtomicUsize::new(0);
static END: AtomicUsize = AtomicUsize::new(0);

/// Takes note of the counters. All object files of one program name the same range.
#[allow(unsafe_code, reason = "the compiler's instrumentation calls this C symbol by name")]
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_8bit_counters_init(first: *mut u8, end: *mut u8) {
    FIRST.store(first.expose_provenance(), Ordering::SeqCst);
    END.store(end.expose_provenance(), Ordering::SeqCst);
}

/// The counters, as bytes. Empty in a build without them.
#[allow(unsafe_code, reason = "the counters are a section of this program that no Rust value owns")]
fn counters() -> &'static mut [u8] {
    let (first, end) = (FIRST.load(Ordering::SeqCst), END.load(Ordering::SeqCst));
    if first == 0 {
        return &mut [];
    }
    // SAFETY: the linker laid out exactly this range for the counters and nothing else; they are plain bytes.
    // The hunt runs on one thread, which counts only while no such slice is alive.
    unsafe { std::slice::from_raw_parts_mut(std::ptr::with_exposed_provenance_mut(first), end - first) }
}

/// Whether this program was built with counters.
pub fn is_built_in() -> bool {
    FIRST.load(Ordering::SeqCst) != 0
}

/// What all inputs so far have reached: for each edge, which of eight classes of counts were seen.
#[derive(Debug)]
pub struct Reached {
    classes: Vec<u8>,
    edges: usize,
}

impl Default for Reached {
    fn default() -> Self {
        Reached { classes: vec![0; counters().len()], edges: 0 }
    }
}

impl Reached {
    /// Edges passed at least once.
    pub const fn edges(&self) -> usize {
        self.edges
    }

    /// Forgets what was counted since the last look.
    pub fn begin(&self) {
        counters().fill(0);
    }

    /// Adds what was counted since [`Reached::begin`]. Whether any of it is new.
    pub fn look(&mut self) -> bool {
        let mut new = false;
        // Nearly all counters are zero, so eight are looked at together.
        let counters: &[u8] = counters();
        let (words, rest) = counters.as_chunks::<8>();
        let (classes, rest_classes) = self.classes.as_chunks_mut::<8>();
        let words = words.iter().zip(classes).filter(|(word, _)| u64::from_ne_bytes(**word) != 0);
        let parts = words.map(|(word, classes)| (word.as_slice(), classes.as_mut_slice()));
        for (counters, classes) in parts.chain([(rest, rest_classes)]) {
            for (count, seen) in counters.iter().zip(classes) {
                let class = class_of(*count);
                if class & !*seen != 0 {
                    self.edges += usize::from(*seen == 0);
                    *seen |= class;
                    new = true;
                }
            }
        }
        new
    }
}

/// Whether a loop ran 16 or 17 times is no news; whether it ran twice or often is.
const fn class_of(count: u8) -> u8 {
    match count {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        4..=7 => 8,
        8..=15 => 16,
        16..=31 => 32,
        32..=127 => 64,
        128.. => 128,
    }
}
