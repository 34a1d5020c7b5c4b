//! The curves that the national signature uses: numbers of the standards, and nothing computed. Tests hold each
//! set together: the base point lies on its curve and has order q.

use crypto_bigint::{
    U256, U512, Uint, const_monty_params,
    modular::{ConstMontyForm, ConstMontyParams},
};

/// Limbs of 256 bits, as many as the machine's word size says.
pub(super) const LIMBS_256: usize = U256::LIMBS;

/// Limbs of 512 bits.
pub(super) const LIMBS_512: usize = U512::LIMBS;

/// y² = x³ + a·x + b over the integers modulo a prime p, with a base point (X, Y) of prime order q.
pub(super) trait Curve<const LIMBS: usize>: Copy {
    /// The prime p.
    type P: ConstMontyParams<LIMBS>;
    /// The prime q, the order of the base point.
    type Q: ConstMontyParams<LIMBS>;
    /// a.
    const A: Field<Self, LIMBS>;
    /// b.
    const B: Field<Self, LIMBS>;
    /// The base point's x.
    const X: Field<Self, LIMBS>;
    /// The base point's y.
    const Y: Field<Self, LIMBS>;
    /// How many times q points the curve has; above 1, a point of the curve need not be a multiple of the base.
    const COFACTOR: u32;
}

/// A number modulo p.
pub(super) type Field<C, const LIMBS: usize> = ConstMontyForm<<C as Curve<LIMBS>>::P, LIMBS>;

/// A number modulo q.
pub(super) type Scalar<C, const LIMBS: usize> = ConstMontyForm<<C as Curve<LIMBS>>::Q, LIMBS>;

/// Defines one curve. Numbers are big-endian hex, filled up to the width.
macro_rules! curve {
    ($(#[$doc:meta])* $name:ident, $p:ident, $q:ident, $uint:ident, cofactor $cofactor:literal,
     p $p_hex:literal, q $q_hex:literal, a $a:literal, b $b:literal, x $x:literal, y $y:literal) => {
        const_monty_params!($p, $uint, $p_hex, "The field's prime.");
        const_monty_params!($q, $uint, $q_hex, "The order of the base point.");

        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) struct $name;

        impl $crate::gost::curves::Curve<{ $uint::LIMBS }> for $name {
            type P = $p;
            type Q = $q;
            const A: Field<Self, { $uint::LIMBS }> = number::<$p, { $uint::LIMBS }>($a);
            const B: Field<Self, { $uint::LIMBS }> = number::<$p, { $uint::LIMBS }>($b);
            const X: Field<Self, { $uint::LIMBS }> = number::<$p, { $uint::LIMBS }>($x);
            const Y: Field<Self, { $uint::LIMBS }> = number::<$p, { $uint::LIMBS }>($y);
            const COFACTOR: u32 = $cofactor;
        }
    };
}
#[cfg(test)]
pub(super) use curve;

/// A constant of a curve.
pub(super) const fn number<M: ConstMontyParams<LIMBS>, const LIMBS: usize>(
    hex: &str,
) -> ConstMontyForm<M, LIMBS> {
    ConstMontyForm::new(&Uint::from_be_hex(hex))
}

curve! {
    /// id-tc26-gost-3410-12-512-paramSetA (RFC 7836, appendix A.1): a = p − 3, cofactor 1. What the national
    /// authority calls parameter set A of GOST 34.10-2015.
    Tc26A512, Tc26A512P, Tc26A512Q, U512, cofactor 1,
    p "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffdc7",
    q "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff27e69532f48d89116ff22b8d4e0560609b4b38abfad2b85dcacdb1411f10b275",
    a "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffdc4",
    b "e8c2505dedfc86ddc1bd0b2b6667f1da34b82574761cb0e879bd081cfd0b6265ee3cb090f30d27614cb4574010da90dd862ef9d4ebee4761503190785a71c760",
    x "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000003",
    y "7503cfe87a836ae3a61b8816e25450e6ce5e1c93acf1abc1778064fdcbefa921df1626be4fd036e93d75e6a50e3a41e98028fe5fc235f5b889a589cb5215f2a4"
}

curve! {
    /// id-tc26-gost-3410-2012-256-paramSetA (RFC 7836, appendix A.2): cofactor 4.
    Tc26A256, Tc26A256P, Tc26A256Q, U256, cofactor 4,
    p "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd97",
    q "400000000000000000000000000000000fd8cddfc87b6635c115af556c360c67",
    a "c2173f1513981673af4892c23035a27ce25e2013bf95aa33b22c656f277e7335",
    b "295f9bae7428ed9ccc20e7c359a9d41a22fccd9108e17bf7ba9337a6f8ae9513",
    x "91e38443a5e82c0d880923425712b2bb658b9196932e02c78b2582fe742daa28",
    y "32879423ab1a0375895786c4bb46e9565fde0b5344766740af268adb32322e5c"
}

curve! {
    /// id-GostR3410-2001-CryptoPro-A-ParamSet (RFC 4357, section 11.4): a = p − 3, cofactor 1. Certificates before
    /// 2024.
    CryptoProA, CryptoProAP, CryptoProAQ, U256, cofactor 1,
    p "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd97",
    q "ffffffffffffffffffffffffffffffff6c611070995ad10045841b09b761b893",
    a "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd94",
    b "00000000000000000000000000000000000000000000000000000000000000a6",
    x "0000000000000000000000000000000000000000000000000000000000000001",
    y "8d91e471e0989cda27df505a453f2b7635294f2ddf23e3b122acc99c9e9f1e14"
}
