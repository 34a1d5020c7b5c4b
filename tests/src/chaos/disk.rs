//! Disks that can lose power or fill up: ext4 on a loop device, mounted where a node will have its home.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use super::{Stopped, failed, ioctl, needs};

/// What was killed lets go of its files within this.
const LETS_GO_WITHIN: Duration = Duration::from_secs(10);

/// Where images lie when there is room: memory is as good as a disk below a file system that loses its power.
const MEMORY: &str = "/dev/shm";

/// Bytes of the disk that shows whether disks work here.
const PROBE_BYTES: u64 = 8 << 20;

/// An ext4 file system on a file.
#[derive(Debug)]
pub(super) struct Disk {
    image: PathBuf,
    mounted_at: PathBuf,
}

/// What disks need of this machine: a small one in `folder` loses its power and comes back.
pub(super) fn needs_disks(folder: &Path) -> Result<(), Stopped> {
    needs::root()?;
    needs::program("mkfs.ext4", &["-V"])?;
    let works = || {
        let disk = Disk::new(folder, &folder.join("probe"), PROBE_BYTES)?;
        disk.cut_power()?;
        disk.mount_again()?;
        disk.remove()
    };
    needs::tried("an ext4 that can lose its power", works())
}

/// A new folder in memory, or else below `folder`, for what must be fast; the caller removes it.
pub(super) fn fast_folder(folder: &Path) -> Result<PathBuf, Stopped> {
    let in_memory = in_memory(folder);
    if Path::new(MEMORY).is_dir() && fs::create_dir(&in_memory).is_ok() {
        return Ok(in_memory);
    }
    let on_disk = folder.join("fast");
    fs::create_dir(&on_disk)?;
    Ok(on_disk)
}

/// The folder in memory that belongs to `folder`, whether or not there is one.
pub fn in_memory(folder: &Path) -> PathBuf {
    Path::new(MEMORY).join(format!("tanba-chaos-{}-{}", std::process::id(), name_of(folder)))
}

fn name_of(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

impl Disk {
    /// A new disk of so many bytes, its image in `images`, mounted at `path`, for its owner alone.
    pub(super) fn new(images: &Path, path: &Path, bytes: u64) -> Result<Disk, Stopped> {
        let image = images.join(format!("{}.ext4", name_of(path)));
        File::create(&image)?.set_len(bytes)?;
        fs::create_dir_all(path)?;
        needs::run("mkfs.ext4", &["-q", "-F", &image.display().to_string()])?;
        let disk = Disk { image, mounted_at: path.to_owned() };
        disk.mount()?;
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
        Ok(disk)
    }

    /// Sends the log of the node that lives here elsewhere: a log is no part of what must survive.
    pub(super) fn log_to(&self, log: &Path) -> Result<(), Stopped> {
        Ok(symlink(log, self.mounted_at.join("node.log"))?)
    }

    /// Everything written so far is on the disk.
    pub(super) fn sync(&self) -> Result<(), Stopped> {
        needs::run("sync", &["-f", &self.mounted_at.display().to_string()])
    }

    /// The power goes: from now on nothing reaches the disk.
    pub(super) fn cut_power(&self) -> Result<(), Stopped> {
        Ok(ioctl::cut_power(&File::open(&self.mounted_at)?)?)
    }

    /// The power comes back. No process may have anything open here any more.
    pub(super) fn mount_again(&self) -> Result<(), Stopped> {
        self.unmount()?;
        self.mount()
    }

    fn mount(&self) -> Result<(), Stopped> {
        let (image, path) = (self.image.display().to_string(), self.mounted_at.display().to_string());
        needs::run("mount", &["-t", "ext4", "-o", "loop", &image, &path])
    }

    /// Unmounts it for good; nothing may be open here any more.
    pub(super) fn remove(self) -> Result<(), Stopped> {
        self.unmount()?;
        // Nothing is left for the end of the value to unmount.
        let Disk { image, .. } = &self;
        fs::remove_file(image)?;
        std::mem::forget(self);
        Ok(())
    }

    fn unmount(&self) -> Result<(), Stopped> {
        let deadline = Instant::now() + LETS_GO_WITHIN;
        loop {
            let output = Command::new("umount").arg(&self.mounted_at).output()?;
            if output.status.success() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return failed(String::from_utf8_lossy(&output.stderr).trim().to_owned());
            }
            sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that was just killed may still hold it for a moment.
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.mounted_at).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} could not be unmounted", self.mounted_at.display());
        }
    }
}
