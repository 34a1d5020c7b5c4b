//! Makes sled's syncs real.
//!
//! On Linux sled 0.34.7 believes written data safe after `sync_file_range`, which by its manual page neither
//! writes metadata nor flushes the drive's cache: after a power cut, data that was said to be safe is gone.
//! This file defines that C symbol as a counted `fdatasync`. sled calls the symbol by name, and a definition in
//! the program comes before the C library's, so each of sled's syncs becomes a real one, before sled draws any
//! conclusion from it (it reuses a segment once it believes the replacement safe, so an `fdatasync` of our own
//! after the fact comes too late). On other systems sled calls `File::sync_all` by itself.
//!
//! Whether the linker really took this definition is not believed but seen: [`syncs`] must grow across one
//! insert and flush, or the store refuses to open. `docs/adr/0002-sled-real-syncs.md` has the measurements.

use std::sync::atomic::{AtomicU64, Ordering};

static SYNCS: AtomicU64 = AtomicU64::new(0);

/// Syncs asked for by sled in this process that reached the disk.
///
/// Every store calls this at opening; the call also ties this file's symbol into every program that opens one.
pub fn syncs() -> u64 {
    #[cfg(target_os = "linux")]
    std::hint::black_box(linux::sync_file_range as *const ());
    SYNCS.load(Ordering::SeqCst)
}

/// Whether sled's syncs pass through this file on this system.
pub const COUNTED: bool = cfg!(target_os = "linux");

#[cfg(target_os = "linux")]
mod linux {
    use std::sync::atomic::Ordering;

    use libc::{c_int, c_uint, off64_t};

    /// `sync_file_range(2)` by signature, `fdatasync(2)` by effect: the whole file and its length, whatever
    /// range was named. Returns 0, or -1 with `errno` as `fdatasync` left it.
    #[allow(unsafe_code, reason = "C symbol and C call: the one place where sled can be made durable")]
    #[unsafe(no_mangle)]
    pub(super) extern "C" fn sync_file_range(
        file: c_int,
        _offset: off64_t,
        _length: off64_t,
        _flags: c_uint,
    ) -> c_int {
        #[cfg(test)]
        super::observer::about_to_sync(file);
        tanba_crypto::planted!(NoRealSync => return 0);
        loop {
            // SAFETY: `fdatasync` takes any integer; one that is no open file gives EBADF.
            let result = unsafe { libc::fdatasync(file) };
            if result == 0 {
                super::SYNCS.fetch_add(1, Ordering::SeqCst);
                return 0;
            }
            if std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted {
                return result;
            }
        }
    }
}

/// Lets a test see a file as it is when a sync begins: what the disk holds for certain once that sync ended.
#[cfg(all(test, target_os = "linux"))]
pub(crate) mod observer {
    use std::{
        collections::BTreeMap,
        fs,
        path::{Path, PathBuf},
        sync::{Mutex, PoisonError},
    };

    static IMAGES: Mutex<BTreeMap<PathBuf, Vec<u8>>> = Mutex::new(BTreeMap::new());

    /// From now on keeps an image of the file at `path`.
    pub(crate) fn watch(path: &Path) {
        images().insert(path.to_owned(), Vec::new());
    }

    /// The file as it was when its last sync began.
    pub(crate) fn image(path: &Path) -> Vec<u8> {
        images().get(path).cloned().unwrap_or_default()
    }

    pub(super) fn about_to_sync(file: libc::c_int) {
        let path = fs::read_link(format!("/proc/self/fd/{file}")).unwrap_or_default();
        // Taken in order of the syncs: the lock is held while the file is read.
        if let Some(image) = images().get_mut(&path) {
            *image = fs::read(&path).unwrap_or_default();
        }
    }

    fn images() -> std::sync::MutexGuard<'static, BTreeMap<PathBuf, Vec<u8>>> {
        IMAGES.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
