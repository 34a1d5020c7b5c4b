//! The certificates a node holds of one height, and the arithmetic of justifications over them.

use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
};

use tanba_ledger::{BlockHash, Certificate, Slot, View, Vote};

use crate::{limits::PAGE_CERTIFICATES_MAX, message::Wanted};

/// At most one certificate of each kind per view. Whoever fills it has checked or counted the signatures.
#[derive(Clone, Default, Debug)]
pub(crate) struct Certificates {
    notarizations: BTreeMap<View, (BlockHash, Certificate)>,
    nullifications: BTreeMap<View, Certificate>,
    finalization: Option<Certificate>,
}

impl Certificates {
    /// See [`Engine::digest`](crate::Engine::digest).
    pub(crate) fn digest(&self, state: &mut impl Hasher) {
        let Certificates { notarizations, nullifications, finalization } = self;
        (notarizations.len(), nullifications.len(), finalization.is_some()).hash(state);
        let notarizations = notarizations.values().map(|(_, certificate)| certificate);
        for certificate in notarizations.chain(nullifications.values()).chain(finalization) {
            (&certificate.vote, &certificate.signers).hash(state);
        }
    }

    /// Keeps `certificate`; says whether its kind was missing in its view.
    pub(crate) fn insert(&mut self, certificate: Certificate) -> bool {
        let view = certificate.slot().view;
        match certificate.vote {
            Vote::Notarize(_, block) => {
                // A second notarized block needs more than f liars; then the first is as good as any.
                !self.notarizations.contains_key(&view)
                    && self.notarizations.insert(view, (block, certificate)).is_none()
            }
            Vote::Nullify(_) => {
                !self.nullifications.contains_key(&view)
                    && self.nullifications.insert(view, certificate).is_none()
            }
            Vote::Finalize(..) => {
                self.finalization.is_none() && {
                    self.finalization = Some(certificate);
                    true
                }
            }
        }
    }

    pub(crate) const fn finalization(&self) -> Option<&Certificate> {
        self.finalization.as_ref()
    }

    pub(crate) fn notarization(&self, view: View) -> Option<&Certificate> {
        self.notarizations.get(&view).map(|(_, certificate)| certificate)
    }

    pub(crate) fn nullification(&self, view: View) -> Option<&Certificate> {
        self.nullifications.get(&view)
    }

    /// The block notarized in `view`.
    pub(crate) fn notarized(&self, view: View) -> Option<BlockHash> {
        self.notarizations.get(&view).map(|(block, _)| *block)
    }

    pub(crate) fn is_nullified(&self, view: View) -> bool {
        self.nullifications.contains_key(&view)
    }

    /// Every notarized view with its block, lowest first.
    pub(crate) fn notarized_views(&self) -> impl DoubleEndedIterator<Item = (View, BlockHash)> + '_ {
        self.notarizations.iter().map(|(view, (block, _))| (*view, *block))
    }

    /// The highest nullified view.
    pub(crate) fn nullified_last(&self) -> Option<&Certificate> {
        self.nullifications.last_key_value().map(|(_, certificate)| certificate)
    }

    /// The first view strictly between the two that is not nullified here.
    pub(crate) fn gap(&self, parent: View, view: View) -> Option<View> {
        (parent.0 + 1..view.0).map(View).find(|between| !self.is_nullified(*between))
    }

    /// How `view` can be entered on top of `parent`: the parent's notarization (unless it is
    /// [`View::NONE`]), then the nullifications between, ascending. Whatever is not held is left out.
    pub(crate) fn justification(&self, parent: View, view: View) -> Vec<Certificate> {
        let between = (parent.0 + 1..view.0).map(View);
        let nullifications = between.filter_map(|view| self.nullification(view));
        self.notarization(parent).into_iter().chain(nullifications).cloned().collect()
    }

    /// One page of what is asked for, lowest view first: the nullification of each view, or else its
    /// notarization.
    pub(crate) fn page(&self, wanted: &Wanted) -> Vec<Certificate> {
        let views = wanted.first.view..=wanted.last.max(wanted.first.view);
        let held = |view| self.nullification(view).or_else(|| self.notarization(view));
        let mut known: Vec<View> = self.nullifications.range(views.clone()).map(|(view, _)| *view).collect();
        known.extend(self.notarizations.range(views).map(|(view, _)| *view));
        known.sort();
        known.dedup();
        known.into_iter().filter_map(held).take(PAGE_CERTIFICATES_MAX).cloned().collect()
    }
}

/// Keeps the highest page of a justification: its notarization and the latest nullifications, which show a
/// peer that lags what to ask for.
pub(crate) fn highest_page(mut justification: Vec<Certificate>, entered: Slot) -> Vec<Certificate> {
    debug_assert!(justification.iter().all(|certificate| certificate.slot() < entered));
    let excess = justification.len().saturating_sub(PAGE_CERTIFICATES_MAX);
    if excess > 0 {
        let from = usize::from(matches!(justification[0].vote, Vote::Notarize(..)));
        justification.drain(from..from + excess);
    }
    justification
}
