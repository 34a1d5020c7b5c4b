//! The text form of certificates, messages and lists (RFC 7468, strictly): one block, its label, base64 in lines of 64.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::Error;

const OPENING: &str = "-----BEGIN ";
const CLOSING: &str = "-----END ";
const DASHES: &str = "-----";
const LINE: usize = 64;

/// Whether `bytes` claim to be PEM.
pub fn is_pem(bytes: &[u8]) -> bool {
    bytes.starts_with(OPENING.as_bytes())
}

/// The label and the bytes of the one block. Lines end in LF or CR LF throughout; one may follow the block.
pub fn decode(text: &[u8]) -> Result<(&str, Vec<u8>), Error> {
    let text = std::str::from_utf8(text).map_err(|_| Error::Pem)?;
    let end_of_line = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let text = text.strip_suffix(end_of_line).unwrap_or(text);
    let lines: Vec<&str> = text.split(end_of_line).collect();
    let mut lines = lines.into_iter();
    let label =
        lines.next().and_then(|line| line.strip_prefix(OPENING)?.strip_suffix(DASHES)).ok_or(Error::Pem)?;
    let last = lines.next_back().and_then(|line| line.strip_prefix(CLOSING)?.strip_suffix(DASHES));
    if last != Some(label) {
        return Err(Error::Pem);
    }
    let lines: Vec<&str> = lines.collect();
    let (short, full) = lines.split_last().ok_or(Error::Pem)?;
    if short.is_empty() || short.len() > LINE || full.iter().any(|line| line.len() != LINE) {
        return Err(Error::Pem);
    }
    let bytes = STANDARD.decode(lines.concat()).map_err(|_| Error::Pem)?;
    Ok((label, bytes))
}

/// The block with this label.
pub fn encode(label: &str, bytes: &[u8]) -> String {
    let base64 = STANDARD.encode(bytes);
    let lines =
        base64.as_bytes().chunks(LINE).map(|line| std::str::from_utf8(line).expect("base64 is ASCII"));
    let body: String = lines.map(|line| format!("{line}\n")).collect();
    format!("{OPENING}{label}{DASHES}\n{body}{CLOSING}{label}{DASHES}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_and_nothing_looser() {
        let text = encode("CERTIFICATE", &[7; 100]);
        assert_eq!(decode(text.as_bytes()), Ok(("CERTIFICATE", vec![7; 100])));
        assert_eq!(decode(text.replace('\n', "\r\n").as_bytes()), Ok(("CERTIFICATE", vec![7; 100])));
        for (from, to) in
            [("BEGIN C", "BEGIN X"), ("\nBwcH", "\n BwcH"), ("=", ""), ("-----END", "\n-----END")]
        {
            assert_eq!(decode(text.replacen(from, to, 1).as_bytes()), Err(Error::Pem), "{from:?}");
        }
        assert_eq!(decode(format!("{text}{text}").as_bytes()), Err(Error::Pem));
    }
}
