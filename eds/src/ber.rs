//! From the BER that NCALayer's library writes around messages to the DER that is read: indefinite lengths become
//! definite ones, OCTET STRINGs in pieces become whole, and nothing else is changed or forgiven.

use std::borrow::Cow;

use crate::{
    Error,
    der::{DEPTH_MAX, LENGTH_MAX, tag, write},
};

/// An OCTET STRING made of pieces.
const OCTETS_IN_PIECES: u8 = 0x24;
/// The length that says: until the end marker.
const INDEFINITE: u8 = 0x80;
/// The end marker.
const END: [u8; 2] = [0, 0];

/// The one value in `bytes` without the two liberties above. Borrowed if it takes none, which the caller's strict
/// reader then checks; whatever else is not DER is left for that reader to refuse.
pub(crate) fn normalise(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    if bytes.get(1) != Some(&INDEFINITE) {
        return Ok(Cow::Borrowed(bytes));
    }
    if bytes.len() > LENGTH_MAX {
        return Err(Error::DerTooLong);
    }
    let mut rest = bytes;
    let value = value(&mut rest, 0)?;
    if rest.is_empty() { Ok(Cow::Owned(value)) } else { Err(Error::DerTrailing) }
}

/// Takes one value off `rest` and gives it in definite form.
fn value(rest: &mut &[u8], depth: u8) -> Result<Vec<u8>, Error> {
    if depth > DEPTH_MAX {
        return Err(Error::DerDepth);
    }
    let [tag, first, ..] = **rest else { return Err(Error::DerTruncated) };
    if tag & 0x1f == 0x1f {
        return Err(Error::DerHighTag);
    }
    let is_constructed = tag & 0x20 != 0;
    if first == INDEFINITE {
        if !is_constructed {
            return Err(Error::Ber);
        }
        *rest = &rest[2..];
        let mut parts = Vec::new();
        while !rest.starts_with(&END) {
            parts.push(value(rest, depth + 1)?);
        }
        *rest = &rest[END.len()..];
        return joined(tag, &parts);
    }
    let whole = definite(rest)?;
    if !is_constructed {
        return Ok(whole.to_vec());
    }
    let header = whole.len() - content_len(whole)?;
    let mut content = &whole[header..];
    let mut parts = Vec::new();
    while !content.is_empty() {
        parts.push(value(&mut content, depth + 1)?);
    }
    joined(tag, &parts)
}

/// A constructed value of these parts; a string in pieces becomes the whole string.
fn joined(tag: u8, parts: &[Vec<u8>]) -> Result<Vec<u8>, Error> {
    if tag != OCTETS_IN_PIECES {
        return Ok(write::element(tag, &[&parts.concat()]));
    }
    let mut whole = Vec::new();
    for part in parts {
        if part.first() != Some(&tag::OCTETS) {
            return Err(Error::Ber);
        }
        whole.extend_from_slice(&part[part.len() - content_len(part)?..]);
    }
    Ok(write::octets(&whole))
}

/// Takes one value of definite length off `rest`.
fn definite<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Error> {
    let (header, length) = header(rest)?;
    let end = header.checked_add(length).filter(|end| *end <= rest.len()).ok_or(Error::DerTruncated)?;
    let (whole, after) = rest.split_at(end);
    *rest = after;
    Ok(whole)
}

fn content_len(whole: &[u8]) -> Result<usize, Error> {
    Ok(header(whole)?.1)
}

/// Lengths of header and content. A definite length must be minimal here too: no third liberty.
fn header(bytes: &[u8]) -> Result<(usize, usize), Error> {
    crate::der::header(bytes).map(|(_, header, length)| (header, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> Result<String, Error> {
        let bytes = hex::decode(text.replace(' ', "")).expect("hex");
        normalise(&bytes).map(|bytes| hex::encode(bytes.as_ref()))
    }

    #[test]
    fn indefinite_lengths_and_pieces_become_definite_and_whole() {
        assert_eq!(normal("3080 0201 05 0000").as_deref(), Ok("3003020105"));
        assert_eq!(normal("3080 2480 0402 6162 0401 63 0000 0000").as_deref(), Ok("30050403616263"));
        assert_eq!(normal("a080 3003 0201 05 3080 0000 0000").as_deref(), Ok("a00730030201053000"));
        assert_eq!(normal("3003 020105").as_deref(), Ok("3003020105"));
    }

    #[test]
    fn no_other_liberty_is_taken() {
        for (bad, error) in [
            ("3080 0201 05", Error::DerTruncated),
            ("3080 0201 05 0000 00", Error::DerTrailing),
            ("3080 0281 01 05 0000", Error::DerLength),
            ("3080 0480 0000 0000", Error::Ber),
            ("3080 2480 0201 05 0000 0000", Error::Ber),
            ("3080 3f00 0000", Error::DerHighTag),
        ] {
            assert_eq!(normal(bad), Err(error), "{bad}");
        }
        let deep = [vec![0x30, 0x80].repeat(1_000_000), vec![0, 0]].concat();
        assert_eq!(normalise(&deep).err(), Some(Error::DerDepth));
    }
}
