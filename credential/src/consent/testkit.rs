//! Statements for the tests of this module.

use tanba_crypto::Hash;

use super::{Language, Method, Operator, Statement, Terms, subject};
use crate::{document::IssuerBin, requisites::Date};

pub(crate) const FINGERPRINT: Hash = Hash([3; 32]);
pub(crate) const R_F: [u8; 32] = [4; 32];

pub(crate) fn terms() -> Terms {
    Terms {
        operator: Operator {
            name: "Пример университеті".into(),
            bin: IssuerBin::parse("000000000018").expect("12 digits"),
        },
        person: "Үлгіұлы-Әуеқала Мысал-0001".into(),
        until: Date::new(2031, 6, 30).expect("a day"),
        third_parties: None,
        abroad: None,
        publication: None,
        small_group: false,
    }
}

pub(crate) fn statement(language: Language, method: Method) -> Statement {
    Statement::new(language, method, terms(), subject(&FINGERPRINT, &R_F)).expect("legal terms")
}
