//! How an input is spoiled: a few small changes of the kinds that break decoders.

use super::random::Random;

/// Numbers that lie where code decides: ends of ranges, signs, lengths that lie.
const NUMBERS: [u64; 14] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x1_0000_0000,
    i64::MAX as u64,
    u64::MAX,
];

/// What an input may be spoiled with.
#[derive(Clone, Copy, Debug)]
pub struct Material<'a> {
    /// Other inputs, to take pieces from; not empty.
    pub others: &'a [Vec<u8>],
    /// Words of the format.
    pub words: &'a [&'a str],
    /// The result is at most so long.
    pub bytes_max: usize,
}

/// A spoiled copy of `input`.
pub fn spoil(input: &[u8], material: &Material<'_>, random: &mut Random) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(5) {
        change(&mut bytes, material, random);
    }
    bytes.truncate(material.bytes_max);
    bytes
}

fn change(bytes: &mut Vec<u8>, material: &Material<'_>, random: &mut Random) {
    let at = random.below(bytes.len());
    let some = random.below(bytes.len().saturating_sub(at).min(64)) + 1;
    let end = bytes.len().min(at + some);
    match random.below(11) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
        1 if !bytes.is_empty() => bytes[at] = random.bits() as u8,
        2 if !bytes.is_empty() => bytes[at] = bytes[at].wrapping_add(random.below(33) as u8).wrapping_sub(16),
        3 => write_number(bytes, at, random),
        4 => drop(bytes.drain(at..end)),
        5 => bytes.truncate(at),
        6 => insert(bytes, at, &vec![random.bits() as u8; some]),
        7 => {
            let piece = bytes[at..end].to_vec();
            let to = random.below(bytes.len() + 1);
            insert(bytes, to, &piece);
        }
        8 => {
            let other = random.one_of(material.others);
            let from = random.below(other.len());
            let length = random.below(other.len() - from) + usize::from(!other.is_empty());
            let piece = &other[from..(from + length).min(other.len())];
            if random.below(2) == 0 {
                insert(bytes, at, piece);
            } else {
                bytes.splice(at..bytes.len().min(at + piece.len()), piece.iter().copied());
            }
        }
        9 if !material.words.is_empty() => {
            let word = random.one_of(material.words).as_bytes();
            if random.below(2) == 0 {
                insert(bytes, at, word);
            } else {
                bytes.splice(at..end, word.iter().copied());
            }
        }
        // The rest of another input after the beginning of this one.
        10 => {
            let other = random.one_of(material.others);
            let cut = at.min(other.len());
            bytes.truncate(at);
            bytes.extend_from_slice(&other[cut..]);
        }
        _ => bytes.push(random.bits() as u8),
    }
}

/// Writes a telling number over 1, 2, 4 or 8 bytes, the most significant first, as canonical bytes have it.
fn write_number(bytes: &mut Vec<u8>, at: usize, random: &mut Random) {
    let near = random.below(3) as u64;
    let number = random.one_of(&NUMBERS).wrapping_add(near).wrapping_sub(1);
    let width = 1 << random.below(4);
    let image = &number.to_be_bytes()[8 - width..];
    bytes.splice(at..bytes.len().min(at + width), image.iter().copied());
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_every_change_and_the_limit_holds() {
        let others = vec![b"[1,2,3]".to_vec(), Vec::new()];
        let material = Material { others: &others, words: &["null"], bytes_max: 40 };
        let spoiled = |seed| {
            let mut random = Random::of(seed);
            (0..500).map(|_| spoil(b"{\"a\":[1]}", &material, &mut random)).collect::<Vec<_>>()
        };
        assert_eq!(spoiled(1), spoiled(1));
        assert_ne!(spoiled(1), spoiled(2));
        assert!(spoiled(3).iter().all(|bytes| bytes.len() <= 40));
    }

    #[test]
    fn nothing_can_be_spoiled_too() {
        let others = vec![Vec::new()];
        let material = Material { others: &others, words: &[], bytes_max: 8 };
        let mut random = Random::of(1);
        assert!((0..200).map(|_| spoil(&[], &material, &mut random)).any(|bytes| !bytes.is_empty()));
    }
}
