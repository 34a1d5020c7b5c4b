//! From the BER that NCALayer's library writes around messages to the DER that is read: indefinite lengths become
//! definite ones, OCTET STRINGs in pieces become whole, and nothing else is changed or forgiven.

use std::borrow::Cow;

use crate::{
    Error,
    der::{DEPTH_MAX, LENGTH_MAX, header, tag, write},
};

/// An OCTET STRING made of pieces.
const OCTETS_IN_PIECES: u8 = 0x24;
/// The length that says: until the end marker.
const INDEFINITE: u8 = 0x80;
/// The bit of a tag that says: made of values.
const CONSTRUCTED: u8 = 0x20;
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
    let (mut rest, mut out) = (bytes, Vec::with_capacity(bytes.len()));
    value(&mut rest, &mut out, 0)?;
    if rest.is_empty() { Ok(Cow::Owned(out)) } else { Err(Error::DerTrailing) }
}

/// Takes one value off `rest` and appends it in definite form.
fn value(rest: &mut &[u8], out: &mut Vec<u8>, depth: u8) -> Result<(), Error> {
    let tag = *rest.first().ok_or(Error::DerTruncated)?;
    if tag & CONSTRUCTED == 0 {
        out.extend_from_slice(definite(rest)?.0);
        return Ok(());
    }
    let start = out.len();
    let tag_out = if tag == OCTETS_IN_PIECES { tag::OCTETS } else { tag };
    each(rest, depth, |rest, depth| {
        if tag != OCTETS_IN_PIECES {
            return value(rest, out, depth);
        }
        // A piece is a whole string: none of the national tools nests them.
        let (piece, content) = definite(rest)?;
        if piece[0] != tag::OCTETS {
            return Err(Error::Ber);
        }
        out.extend_from_slice(content);
        Ok(())
    })?;
    let header = write::header(tag_out, out.len() - start);
    out.splice(start..start, header);
    Ok(())
}

/// Takes one constructed value off `rest`, and each value within it by `take`.
fn each(
    rest: &mut &[u8],
    depth: u8,
    mut take: impl FnMut(&mut &[u8], u8) -> Result<(), Error>,
) -> Result<(), Error> {
    if depth == DEPTH_MAX {
        return Err(Error::DerDepth);
    }
    if rest.get(1) != Some(&INDEFINITE) {
        let (_, mut content) = definite(rest)?;
        while !content.is_empty() {
            take(&mut content, depth + 1)?;
        }
        return Ok(());
    }
    *rest = &rest[2..];
    while !rest.starts_with(&END) {
        take(rest, depth + 1)?;
    }
    *rest = &rest[END.len()..];
    Ok(())
}

/// Takes one value of definite length off `rest`: whole, and its content. The length must be minimal here too.
fn definite<'a>(rest: &mut &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Error> {
    let (_, header, length) = header(rest)?;
    let end = header.checked_add(length).filter(|end| *end <= rest.len()).ok_or(Error::DerTruncated)?;
    let (whole, after) = rest.split_at(end);
    *rest = after;
    Ok((whole, &whole[header..]))
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
            ("3080 0480 0000 0000", Error::DerLength),
            ("3080 2480 0201 05 0000 0000", Error::Ber),
            ("3080 3f00 0000", Error::DerHighTag),
            ("3080 2480 2402 0400 0000 0000", Error::Ber),
        ] {
            assert_eq!(normal(bad), Err(error), "{bad}");
        }
        let deep = [0x30, 0x80].repeat(1_000_000);
        assert_eq!(normalise(&deep).err(), Some(Error::DerDepth));
    }
}
