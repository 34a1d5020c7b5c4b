//! The diploma off the ledger: disclosures, the fingerprint F, the GOST commitment G and the control commitment.
