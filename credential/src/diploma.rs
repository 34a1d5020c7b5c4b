//! Making a diploma: requisites and random bytes in, document, disclosures and commitments out. The same input
//! gives the same bytes on every machine.

use std::collections::BTreeMap;

use tanba_crypto::{Hash, PublicKey, SigningKey};

use crate::{
    commitment::{self, GostParts},
    disclosure::{Decoy, Disclosure, Salt},
    document::{Document, IssuerBin},
    leaves::{self, LEAVES, PRINT_LEAVES},
    requisites::{Field, FieldError, Requisites},
};

/// The random bytes of one diploma, each used for one purpose. Drawn from the operating system by the caller.
#[derive(Clone)]
pub struct Draw {
    salts: [Salt; LEAVES],
    r: [u8; 32],
    r_g: [u8; 32],
    shuffle: [u8; 32],
}

/// The random source is broken: bytes repeat that must never repeat.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the random bytes repeat themselves: the random source is broken, nothing may be issued with it")]
pub struct DrawError;

impl Draw {
    /// Random bytes that one diploma takes.
    pub const BYTES: usize = LEAVES * 16 + 3 * 32;

    /// Splits random bytes, and refuses bytes that no working source gives: repeated salts, equal openings.
    pub fn from_bytes(bytes: &[u8; Draw::BYTES]) -> Result<Draw, DrawError> {
        let (salts, rest) = bytes.split_at(LEAVES * 16);
        let chunk = |n: usize| rest[n * 32..][..32].try_into().expect("32 bytes");
        let salts: [Salt; LEAVES] =
            std::array::from_fn(|n| salts[n * 16..][..16].try_into().expect("16 bytes"));
        let draw = Draw { salts, r: chunk(0), r_g: chunk(1), shuffle: chunk(2) };
        let mut sorted = salts;
        sorted.sort_unstable();
        let salts_repeat = sorted.windows(2).any(|pair| pair[0] == pair[1]);
        if salts_repeat || draw.r == draw.r_g || draw.r_g == draw.shuffle || draw.r == draw.shuffle {
            return Err(DrawError);
        }
        Ok(draw)
    }
}

/// A diploma as made: everything that its holder gets, and what goes on the ledger.
#[derive(Clone, PartialEq, Eq)]
pub struct Diploma {
    /// The document.
    pub document: Document,
    /// The fields, in order of [`Field`].
    pub disclosures: Vec<Disclosure>,
    /// What fills the rest of the 32 leaves.
    pub decoys: Vec<Decoy>,
    /// The opening of F.
    pub r: [u8; 32],
    /// The opening of G.
    pub r_g: [u8; 32],
    /// F.
    pub fingerprint: Hash,
    /// G.
    pub gost: [u8; 32],
    /// The institution's seal, a CMS, once there is one.
    pub seal: Option<Vec<u8>>,
    /// The graduate's consent, a CMS, once there is one.
    pub consent: Option<Vec<u8>>,
}

impl Diploma {
    /// Makes the unsigned sample of a diploma, without seal and consent. `issued_on_day` counts days since
    /// 1970-01-01. A `draw` makes one diploma, ever.
    pub fn unsigned_sample(
        requisites: &Requisites,
        issuer: IssuerBin,
        issued_on_day: u32,
        holder_key: Option<PublicKey>,
        draw: &Draw,
    ) -> Result<Diploma, FieldError> {
        Diploma::make(requisites, draw, |digests| {
            Document::unsigned_sample(issuer, issued_on_day, digests, holder_key)
        })
    }

    /// Makes a diploma whose document is signed by the institution's `Document` key. Seal and consent come later, over
    /// its F; [`Diploma::complete`] takes them in. The other arguments are those of [`Diploma::unsigned_sample`].
    pub fn sign(
        requisites: &Requisites,
        issuer: IssuerBin,
        issued_on_day: u32,
        holder_key: Option<PublicKey>,
        draw: &Draw,
        key: &SigningKey,
    ) -> Result<Diploma, FieldError> {
        Diploma::make(requisites, draw, |digests| {
            Document::sign(issuer, issued_on_day, digests, holder_key, key)
        })
    }

    /// Takes in seal and consent, both CMS messages over this diploma, and computes G anew.
    pub fn complete(self, seal: Vec<u8>, consent: Vec<u8>) -> Diploma {
        let document = Some(self.document.text().as_bytes());
        let parts = GostParts { document, seal: Some(&seal), consent: Some(&consent) };
        let gost = commitment::gost_commitment(&self.r_g, &parts);
        Diploma { gost, seal: Some(seal), consent: Some(consent), ..self }
    }

    fn make(
        requisites: &Requisites,
        draw: &Draw,
        document: impl Fn([Hash; LEAVES]) -> Document,
    ) -> Result<Diploma, FieldError> {
        let fields = requisites.fields()?;
        let mut salts = draw.salts.iter();
        let disclosures = fields
            .into_iter()
            .zip(salts.by_ref())
            .map(|((field, value), salt)| Disclosure::new(salt, field, value))
            .collect::<Result<Vec<_>, _>>()?;
        let decoys: Vec<Decoy> = draw.salts[disclosures.len()..].iter().map(Decoy::new).collect();
        let digests = arranged(&disclosures, &decoys, &draw.shuffle);
        let document = document(digests);
        let fingerprint = commitment::fingerprint(&draw.r, &leaves::field_root(&digests), document.text());
        let parts = GostParts { document: Some(document.text().as_bytes()), seal: None, consent: None };
        let gost = commitment::gost_commitment(&draw.r_g, &parts);
        Ok(Diploma {
            document,
            disclosures,
            decoys,
            r: draw.r,
            r_g: draw.r_g,
            fingerprint,
            gost,
            seal: None,
            consent: None,
        })
    }
}

fn arranged(disclosures: &[Disclosure], decoys: &[Decoy], seed: &[u8; 32]) -> [Hash; LEAVES] {
    let mut by_field: BTreeMap<Field, Hash> =
        disclosures.iter().map(|disclosure| (disclosure.field(), disclosure.digest())).collect();
    let print: [Hash; PRINT_LEAVES] =
        Field::PRINT_SET.map(|field| by_field.remove(&field).expect("the print set is required"));
    let mut others = by_field.into_values().chain(decoys.iter().map(Decoy::digest));
    let others = std::array::from_fn(|_| others.next().expect("decoys fill the 32 leaves"));
    leaves::arrange(print, others, seed)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::requisites::{Date, DiplomaNumber, Minutes, ProgrammeName, StudyForm, Texts};

    pub(crate) fn texts(kk: &str, ru: &str, en: &str) -> Texts {
        Texts { kk: kk.into(), ru: ru.into(), en: en.into() }
    }

    pub(crate) fn requisites() -> Requisites {
        Requisites {
            family_name: texts("Үлгіұлы-Әуеқала", "Образцов-Ауекала", "Sample-Auekala"),
            given_name: texts("Мысал-0001", "Пример-0001", "Example-0001"),
            patronymic: None,
            qualification: texts("Техника бакалавры", "Бакалавр техники", "Bachelor of Engineering"),
            programme: ProgrammeName {
                code: "6B06101".into(),
                name: texts("Бағдарламалық инженерия", "Программная инженерия", "Software Engineering"),
            },
            level: 6,
            honours: true,
            study_form: StudyForm::FullTime,
            award_date: Date::new(2026, 6, 30).expect("a day"),
            commission_minutes: Minutes { number: "17".into(), date: Date::new(2026, 6, 25).expect("a day") },
            diploma_number: DiplomaNumber { series: "TEST-BD".into(), number: "0000001".into() },
            registration_number: "2026-0001".into(),
        }
    }

    /// Bytes that a counter gives: distinct salts, reproducible.
    pub(crate) fn draw(n: u8) -> Draw {
        let bytes: Vec<u8> = (0..19u8).flat_map(|block| Hash::plain(&[n, block]).0).collect();
        Draw::from_bytes(bytes.as_slice().try_into().expect("608 bytes")).expect("distinct")
    }

    pub(crate) fn diploma(requisites: &Requisites, n: u8) -> Diploma {
        let issuer = IssuerBin::parse("000000000018").expect("12 digits");
        Diploma::unsigned_sample(requisites, issuer, 20_634, None, &draw(n)).expect("legal requisites")
    }

    #[test]
    fn two_diplomas_of_one_person_share_nothing() {
        let (first, second) = (diploma(&requisites(), 1), diploma(&requisites(), 2));
        let digests = |diploma: &Diploma| BTreeSet::from(*diploma.document.digests());
        assert!(digests(&first).is_disjoint(&digests(&second)));
        assert_ne!(first.fingerprint, second.fingerprint);
        assert_ne!(first.gost, second.gost);
        let shared = first.disclosures.iter().any(|one| second.disclosures.contains(one));
        assert!(!shared);
    }

    #[test]
    fn the_number_of_fields_does_not_show() {
        let mut with_patronymic = requisites();
        with_patronymic.patronymic = Some(texts("Үлгіұлы", "Улгиулы", "Ulgiuly"));
        let (without, with) = (diploma(&requisites(), 1), diploma(&with_patronymic, 1));
        assert_eq!((without.disclosures.len(), with.disclosures.len()), (11, 12));
        assert_eq!(without.document.text().len(), with.document.text().len());
    }

    #[test]
    fn the_length_of_a_signed_document_tells_nothing_of_its_fields() {
        let issuer = IssuerBin::parse("000000000018").expect("12 digits");
        let key = SigningKey::ed25519(&[7; 32]);
        let length = |change: &dyn Fn(&mut Requisites)| {
            let mut requisites = requisites();
            change(&mut requisites);
            let made = Diploma::sign(&requisites, issuer, 20_634, None, &draw(1), &key).expect("legal");
            assert_eq!(made.disclosures.len() + made.decoys.len(), LEAVES);
            made.document.text().len()
        };
        let plain = length(&|_| ());
        let long = "Ә".repeat(200);
        assert_eq!(plain, length(&|one| one.family_name = texts(&long, &long, &long)));
        assert_eq!(plain, length(&|one| one.patronymic = Some(texts("Үлгіұлы", "Улгиулы", "Ulgiuly"))));
        assert_eq!(plain, length(&|one| one.honours = false));
    }

    #[test]
    fn a_broken_random_source_is_refused() {
        assert_eq!(Draw::from_bytes(&[0; Draw::BYTES]).err(), Some(DrawError));
        let mut salts_fine: Vec<u8> = (0..19u8).flat_map(|block| Hash::plain(&[block]).0).collect();
        salts_fine.truncate(LEAVES * 16);
        salts_fine.extend([0; 96]);
        assert!(Draw::from_bytes(salts_fine.as_slice().try_into().expect("608 bytes")).is_err());
    }

    #[test]
    fn requisites_that_break_a_rule_are_not_made_into_a_diploma() {
        let issuer = IssuerBin::parse("000000000018").expect("12 digits");
        let mut bad = requisites();
        bad.family_name.kk.clear();
        let refused = Diploma::unsigned_sample(&bad, issuer, 0, None, &draw(1));
        assert_eq!(refused.err().map(|error| error.field), Some(Field::FamilyName));
    }
}
