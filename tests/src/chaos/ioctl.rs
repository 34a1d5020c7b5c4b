//! The two calls of the system that no library here wraps: an ext4 file system loses power, and a TAP device is
//! made.

use std::{fs::File, io, os::fd::AsRawFd};

/// `EXT4_IOC_SHUTDOWN`: `_IOR('X', 125, __u32)` of the kernel's `fs/ext4/ext4.h`.
const EXT4_IOC_SHUTDOWN: u64 = 0x8004_587d;

/// `EXT4_GOING_FLAGS_NOLOGFLUSH`: not even the journal's pending commits reach the disk.
const NO_LOG_FLUSH: u32 = 2;

/// `TUNSETIFF` of `linux/if_tun.h`.
const TUNSETIFF: u64 = 0x4004_54ca;

/// `IFF_TAP | IFF_NO_PI`: whole Ethernet frames, nothing before them.
const TAP_WITHOUT_PREFIX: u16 = 0x1002;

/// Bytes of `struct ifreq`.
const IFREQ_BYTES: usize = 40;

/// Bytes of its name, with the NUL at the end.
const NAME_BYTES: usize = 16;

/// From now on nothing reaches the disk of the ext4 file system that holds `file`: what was not synced is lost.
/// Only unmounting and mounting again brings it back, as after a power cut. Needs root.
pub(super) fn cut_power(file: &File) -> io::Result<()> {
    let mut flags = NO_LOG_FLUSH.to_ne_bytes();
    ioctl(file, EXT4_IOC_SHUTDOWN, &mut flags)
}

/// Makes `tun`, an open `/dev/net/tun`, the other end of a new TAP device; it goes when `tun` is closed. Needs root.
pub(super) fn make_tap(tun: &File, name: &str) -> io::Result<()> {
    assert!(name.len() < NAME_BYTES, "a device's name has at most 15 bytes");
    let mut request = [0; IFREQ_BYTES];
    request[..name.len()].copy_from_slice(name.as_bytes());
    request[NAME_BYTES..NAME_BYTES + 2].copy_from_slice(&TAP_WITHOUT_PREFIX.to_ne_bytes());
    ioctl(tun, TUNSETIFF, &mut request)
}

#[expect(unsafe_code, reason = "a device is spoken to by ioctl; the one unsafe call of these tests")]
fn ioctl(file: &File, request: u64, argument: &mut [u8]) -> io::Result<()> {
    // SAFETY: the file is open, and both requests read and write no more than the bytes of `argument`: 4 for the
    // shutdown, the 40 of `struct ifreq` for the device. Alignment does not matter: the kernel copies bytes.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), request as _, argument.as_mut_ptr()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
