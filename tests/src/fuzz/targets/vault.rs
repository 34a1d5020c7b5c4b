//! What a vault stored, changed by somebody who can also mend the checksums: a record reads as it was sealed, or does not
//! read.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use tanba_storage::{StoreError, tree::Tree, value};
use tanba_vault::{
    ActId, Config, Draft, Hold, OfficerId, Part, RecordId, Suite, Time, Vault, VaultError, VaultId,
    epoch_keys::FileKeys,
    folder::{Folder, SECTOR_BYTES},
    read::{Access, Purpose, Reader},
};

use crate::fuzz::{Bound, Target, random::Random};

const NOW: Time = Time(1_800_000_000);
const LIMITATION: Time = Time(1_900_000_000);
/// The table of sealed parts, whose values bear a tag in place of a checksum.
const PARTS: u8 = 0x10;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "vault-stored",
        input_bytes_max: 4 * 1024,
        // The whole small vault is made anew for each input.
        bound: Bound { factor: 16, constant_bytes: 256 * 1024 },
        seeds: || {
            let places = 0..u8::try_from(stored().places.len()).expect("a small vault");
            places.map(|place| [&[place][..], &stored().places[usize::from(place)].1].concat()).collect()
        },
        words: &["TVS1"],
        attack,
    }]
}

fn attack(input: &[u8]) {
    let Some((place, bytes)) = input.split_first() else { return };
    let stored = stored();
    let memory = stored.memory.copy();
    match &stored.places[usize::from(*place) % stored.places.len()].0 {
        Place::Tree(key) => {
            let entries = if key[0] == PARTS {
                value::pieces(key.clone(), bytes.to_vec())
            } else {
                value::sealed(key.clone(), bytes)
            };
            memory.content().tree.extend(entries);
        }
        Place::Slots(name) => drop(memory.content().files.insert(("slots", name.clone()), sectors(bytes))),
    }
    let Ok(mut vault) = open(&memory) else { return };
    for n in 0..3 {
        for part in Part::ALL {
            if let Ok(found) = read(&mut vault, n, part) {
                assert_eq!(found, text(n, part), "a part that opens is what was sealed");
            }
        }
        let _ = (vault.standing(record(n)), vault.certificate(record(n)), vault.disclosures(record(n)));
    }
    let _ = (vault.open_requests(), vault.overdue(Time(NOW.0 + 86_400 * 30)));
    let _ = vault.erase(record(0), LIMITATION, NOW);
}

/// Sectors with their checksums mended.
fn sectors(bytes: &[u8]) -> Vec<u8> {
    let sector = |chunk: &[u8]| {
        let mut sector = chunk.to_vec();
        sector.resize(SECTOR_BYTES - 4, 0);
        // Under an empty key the seal of a value is its plain checksum.
        value::sealed(Vec::new(), &sector).remove(0).1
    };
    bytes.chunks(SECTOR_BYTES - 4).flat_map(sector).collect()
}

/// Where something lies.
enum Place {
    Tree(Vec<u8>),
    Slots(String),
}

/// A vault with three records, and each of its values without its checksum.
struct Stored {
    memory: Memory,
    places: Vec<(Place, Vec<u8>)>,
}

fn stored() -> &'static Stored {
    static STORED: OnceLock<Stored> = OnceLock::new();
    STORED.get_or_init(|| {
        let memory = Memory::default();
        found(&memory).expect("a vault in memory");
        let content = memory.content().clone();
        let tree = content.tree.iter().map(|(key, value)| {
            let checksum = if key[0] == PARTS { 0 } else { 4 };
            (Place::Tree(key.clone()), value[..value.len() - checksum].to_vec())
        });
        let slots = content.files.iter().filter(|((folder, _), _)| *folder == "slots");
        let slots = slots.map(|((_, name), file)| {
            let bodies = file.chunks(SECTOR_BYTES).flat_map(|sector| &sector[..SECTOR_BYTES - 4]);
            (Place::Slots(name.clone()), bodies.copied().collect())
        });
        let places = tree.chain(slots).collect();
        Stored { memory, places }
    })
}

/// One record whole and on hold, one erased, one restricted; requests and lines of the log.
fn found(memory: &Memory) -> Result<(), VaultError> {
    let mut drawn = Random::of(1);
    let mut random = |bytes: &mut [u8]| bytes.fill_with(|| drawn.bits() as u8);
    let slots = MemoryFolder(memory.clone(), "slots");
    SmallVault::create(memory, slots, &mut keys(memory)?, &config(), NOW, &mut random)?;
    let mut vault = open(memory)?;
    for n in 0..3 {
        let texts = Part::ALL.map(|part| (part, text(n, part)));
        let parts: Vec<(Part, &[u8])> = texts.iter().map(|(part, text)| (*part, &text[..])).collect();
        vault.seal(&[Draft { record: record(n), parts: &parts }], NOW, &mut random)?;
    }
    read(&mut vault, 0, Part::Document)?;
    vault.erase(record(1), LIMITATION, NOW)?;
    vault.restrict(record(2), NOW)?;
    vault.turn_epoch(&[], NOW, &mut random)?;
    let hold = Hold { act: ActId([7; 32]), until: LIMITATION, officers: [officer(1), officer(2)] };
    vault.hold(record(0), hold, NOW)
}

type SmallVault = Vault<Memory, MemoryFolder, FileKeys<MemoryFolder>>;

fn config() -> Config {
    let vault = VaultId([0x4b; 32]);
    let (suite, local_ahead_s) = (Suite::Kuznyechik, 18_000);
    Config { vault, suite, reads_per_day_max: 100_000, bulk_max: 10, local_ahead_s }
}

fn keys(memory: &Memory) -> Result<FileKeys<MemoryFolder>, VaultError> {
    FileKeys::open(MemoryFolder(memory.clone(), "keys"), Suite::Kuznyechik)
}

fn open(memory: &Memory) -> Result<SmallVault, VaultError> {
    let slots = MemoryFolder(memory.clone(), "slots");
    Vault::open(memory.clone(), slots, keys(memory)?, config(), NOW)
}

fn read(vault: &mut SmallVault, n: u8, part: Part) -> Result<Vec<u8>, VaultError> {
    let reader = Reader::Officers(officer(1), officer(2));
    let access = Access { reader, purpose: Purpose::LegalClaim, parts: &[part], fields: 0 };
    Ok(vault.read(&[record(n)], &access, NOW)?.remove(0).remove(0).to_vec())
}

fn record(n: u8) -> RecordId {
    RecordId([n + 1; 16])
}

fn officer(n: u8) -> OfficerId {
    OfficerId([n; 16])
}

fn text(n: u8, part: Part) -> Vec<u8> {
    format!("the {part} of invented record {n}").into_bytes()
}

// ------------------------------------------------------------------------------------------ a disk in memory

#[derive(Clone, Default)]
struct Content {
    tree: BTreeMap<Vec<u8>, Vec<u8>>,
    files: BTreeMap<(&'static str, String), Vec<u8>>,
}

/// Nothing is written behind so many bytes: a slot far out would take that much memory.
const DISK_BYTES: usize = 64 * 1024;

/// Database and folders; clones share it. Nothing is lost here.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Content>>);

impl Memory {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn copy(&self) -> Memory {
        Memory(Arc::new(Mutex::new(self.content().clone())))
    }
}

impl Tree for Memory {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.content().tree.get(key).cloned())
    }

    fn insert(&self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.content().tree.insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn remove(&self, key: &[u8]) -> Result<(), StoreError> {
        self.content().tree.remove(key);
        Ok(())
    }

    fn keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
        let content = self.content();
        let from = content.tree.range(prefix.to_vec()..).map(|(key, _)| key);
        Ok(from.take_while(|key| key.starts_with(prefix)).cloned().collect())
    }

    fn barrier(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn size_bytes(&self) -> Result<u64, StoreError> {
        Ok(0)
    }
}

struct MemoryFolder(Memory, &'static str);

impl MemoryFolder {
    fn place(&self, name: &str) -> (&'static str, String) {
        (self.1, name.to_owned())
    }
}

impl Folder for MemoryFolder {
    fn names(&self) -> Result<Vec<String>, VaultError> {
        let content = self.0.content();
        Ok(content
            .files
            .keys()
            .filter(|(folder, _)| *folder == self.1)
            .map(|(_, name)| name.clone())
            .collect())
    }

    fn create(&mut self, name: &str) -> Result<(), VaultError> {
        self.0.content().files.insert(self.place(name), Vec::new());
        Ok(())
    }

    fn length(&self, name: &str) -> Result<u64, VaultError> {
        Ok(self.0.content().files.get(&self.place(name)).map_or(0, |file| file.len() as u64))
    }

    fn read(&self, name: &str, at: u64, length: usize) -> Result<Vec<u8>, VaultError> {
        let content = self.0.content();
        let file = content.files.get(&self.place(name)).map_or(&[][..], Vec::as_slice);
        let from = file.len().min(usize::try_from(at).unwrap_or(usize::MAX));
        let mut bytes = file[from..file.len().min(from + length)].to_vec();
        bytes.resize(length, 0);
        Ok(bytes)
    }

    fn write(&mut self, name: &str, at: u64, bytes: &[u8]) -> Result<(), VaultError> {
        let mut content = self.0.content();
        let file = content.files.entry(self.place(name)).or_default();
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        if at > DISK_BYTES {
            let (doing, source_text) = ("writing".to_owned(), "the disk is full".to_owned());
            return Err(VaultError::Io { doing, source_text });
        }
        file.resize(file.len().max(at + bytes.len()), 0);
        file[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self, _name: &str) -> Result<(), VaultError> {
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), VaultError> {
        self.0.content().files.remove(&self.place(name));
        Ok(())
    }

    fn sync_names(&mut self) -> Result<(), VaultError> {
        Ok(())
    }
}
