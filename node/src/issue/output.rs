//! The output folder of `issue prepare`: `holders/<record id>.json`, one for each graduate, and
//! `batches/<number>.json`. It appears whole or not at all: everything is written and synced under another name
//! and the folder renamed at the end.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tanba_credential::{HolderFile, OpenError, holder::HOLDER_FILE_BYTES_MAX};

use super::{FileError, Prepared, RecordId, files};

/// What was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// The folder of the holders' files. Personal data.
    pub holders: PathBuf,
    /// The batch files, in order.
    pub batches: Vec<PathBuf>,
}

/// Why a proof was not put into a holder's file.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The disk.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file there is none, or altered.
    #[error("{}: {error}", .path.display())]
    Holder {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: OpenError,
    },
}

/// Where a holder's file lies in the folder of them.
pub fn holder_path(holders: &Path, record: RecordId) -> PathBuf {
    holders.join(format!("{record}.json"))
}

/// Writes everything into `folder`, which must not exist.
pub fn write_prepared(folder: &Path, prepared: &Prepared) -> Result<Written, FileError> {
    let mut partial = folder.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    for (path, taken) in [
        (folder, FileError::Exists { path: folder.to_owned() }),
        (partial.as_path(), FileError::LeftOver { path: partial.clone() }),
    ] {
        if path.try_exists().map_err(FileError::at(path))? {
            return Err(taken);
        }
    }
    files::make_folder(&partial)?;
    let holders = partial.join("holders");
    files::make_folder(&holders)?;
    for (record, file) in &prepared.holders {
        files::write_new(&holder_path(&holders, *record), &file.to_json())?;
    }
    let batches = partial.join("batches");
    files::make_folder(&batches)?;
    let names: Vec<String> = (1..=prepared.batches.len()).map(|number| format!("{number:04}.json")).collect();
    for (name, batch) in names.iter().zip(&prepared.batches) {
        files::write_new(&batches.join(name), &batch.to_json())?;
    }
    [&holders, &batches, &partial].into_iter().try_for_each(|folder| files::sync_folder(folder))?;
    fs::rename(&partial, folder).map_err(FileError::at(folder))?;
    files::sync_folder(folder.parent().unwrap_or(Path::new(".")))?;
    let batches = names.iter().map(|name| folder.join("batches").join(name)).collect();
    Ok(Written { holders: folder.join("holders"), batches })
}

/// Puts a proof bundle into the holder's file of `record`.
pub fn attach_proof(holders: &Path, record: RecordId, proof: Vec<u8>) -> Result<(), AttachError> {
    let path = holder_path(holders, record);
    let bytes = files::read_bounded(&path, HOLDER_FILE_BYTES_MAX)?;
    let mut file =
        HolderFile::from_json(&bytes).map_err(|error| AttachError::Holder { path: path.clone(), error })?;
    file.proof = Some(proof);
    let bytes = file.to_json();
    if bytes.len() > HOLDER_FILE_BYTES_MAX {
        return Err(FileError::TooLong { path, limit: HOLDER_FILE_BYTES_MAX }.into());
    }
    Ok(files::write_atomic(&path, &bytes)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tanba_credential::holder;

    use super::*;
    use crate::issue::{
        BatchFile,
        testkit::{order, prepared, rows},
    };

    #[test]
    fn one_private_file_for_each_graduate_named_by_chance() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("class");
        let rows = rows(20);
        let made = prepared(&rows, &order(), 1);
        let written = write_prepared(&out, &made).expect("writes");
        let mut records = 0;
        for (path, batch) in BatchFile::load_folder(&out.join("batches")).expect("reads") {
            assert!(written.batches.contains(&path));
            for (record, entry) in batch.records().iter().zip(&batch.issue().entries) {
                let path = holder_path(&written.holders, *record);
                let file = HolderFile::from_json(&fs::read(&path).expect("is there")).expect("reads");
                let opened = holder::open(&file).expect("opens");
                assert_eq!((opened.fingerprint, opened.gost), (entry.fingerprint.0, entry.gost));
                assert_eq!(opened.control, Some(entry.control));
                assert_eq!(fs::metadata(&path).expect("is there").permissions().mode() & 0o777, 0o600);
                records += 1;
            }
        }
        assert_eq!(records, 20);
    }

    #[test]
    fn nothing_is_overwritten_and_a_cut_run_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("class");
        let made = prepared(&rows(20), &order(), 1);
        write_prepared(&out, &made).expect("writes");
        assert!(matches!(write_prepared(&out, &made), Err(FileError::Exists { .. })));
        let other = folder.path().join("other");
        fs::create_dir(folder.path().join("other.partial")).expect("makes");
        assert!(matches!(write_prepared(&other, &made), Err(FileError::LeftOver { .. })));
    }

    #[test]
    fn a_proof_joins_the_file_and_the_file_still_opens() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = prepared(&rows(20), &order(), 1);
        let written = write_prepared(&folder.path().join("class"), &made).expect("writes");
        let record = made.batches[0].records()[3];
        attach_proof(&written.holders, record, vec![7; 100]).expect("attaches");
        let bytes = fs::read(holder_path(&written.holders, record)).expect("is there");
        let file = HolderFile::from_json(&bytes).expect("reads");
        assert_eq!(file.proof, Some(vec![7; 100]));
        assert!(holder::open(&file).is_ok());
        let too_long = attach_proof(&written.holders, record, vec![7; HOLDER_FILE_BYTES_MAX]);
        assert!(matches!(too_long, Err(AttachError::File(FileError::TooLong { .. }))));
    }
}
