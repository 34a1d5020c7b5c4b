//! What a thread holds in memory: an allocator that counts, and the peak of one call.
//!
//! The count is kept by thread, so that tests which run beside one another do not disturb it. A program that
//! wants it says `#[global_allocator] static ALLOCATOR: Counting = Counting;`; without that, nothing is counted,
//! which [`is_counting`] tells.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// The system's allocator, counted.
#[derive(Debug)]
pub struct Counting;

fn moved(bytes: isize) {
    // A thread that ends may free after its counters are gone.
    let _ = LIVE.try_with(|live| {
        let now = live.get() + bytes;
        live.set(now);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(now)));
    });
}

/// A layout's size; never above `isize::MAX` by the promise of [`Layout`].
const fn size(bytes: usize) -> isize {
    bytes.cast_signed()
}

#[allow(unsafe_code, reason = "an allocator is unsafe by its trait; each call is passed on as it came")]
// SAFETY: every method passes its arguments to `System` unchanged and returns what `System` returns.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        moved(size(layout.size()));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        moved(size(layout.size()));
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        moved(-size(layout.size()));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        moved(size(bytes) - size(layout.size()));
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, bytes) }
    }
}

/// Runs `call`; gives what it returned and the most bytes it held at one moment on this thread.
pub fn peak_of<T>(call: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.get();
    PEAK.set(before);
    let result = call();
    (result, usize::try_from(PEAK.get() - before).expect("a peak is not below where it began"))
}

/// Whether this program counts at all.
pub fn is_counting() -> bool {
    peak_of(|| drop(std::hint::black_box(vec![0u8; 4_096]))).1 >= 4_096
}
