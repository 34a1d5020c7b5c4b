//! SD-JWT by RFC 9901: the published samples hold, every mutation of them fails, and each rule of the specification
//! is broken once, with the code that it earns.

mod check;
mod issuer;
mod json_form;
mod key_binding;
mod mutations;
mod negative;
mod samples;
