//! Points of a curve in variable time: for checking signatures, where every input is public. Nothing secret may
//! come here; `sign` has formulas of its own.

use crypto_bigint::Uint;

use super::curves::{Curve, Field, Scalar};

/// A point in Jacobian coordinates: x = X/Z², y = Y/Z³. Z = 0 is the point at infinity.
#[derive(Clone, Copy)]
pub(super) struct Point<C: Curve<LIMBS>, const LIMBS: usize> {
    x: Field<C, LIMBS>,
    y: Field<C, LIMBS>,
    z: Field<C, LIMBS>,
}

impl<C: Curve<LIMBS>, const LIMBS: usize> Point<C, LIMBS> {
    /// The base point.
    pub(super) const BASE: Self = Point { x: C::X, y: C::Y, z: Field::<C, LIMBS>::ONE };

    const INFINITY: Self =
        Point { x: Field::<C, LIMBS>::ONE, y: Field::<C, LIMBS>::ONE, z: Field::<C, LIMBS>::ZERO };

    /// The point with these coordinates, if it lies on the curve. Coordinates must be below p.
    pub(super) fn on_curve(x: &Uint<LIMBS>, y: &Uint<LIMBS>) -> Option<Self> {
        let p = Field::<C, LIMBS>::MODULUS;
        if x >= p.as_ref() || y >= p.as_ref() {
            return None;
        }
        let (x, y) = (Field::<C, LIMBS>::new(x), Field::<C, LIMBS>::new(y));
        let right = (x.square() + C::A) * x + C::B;
        (y.square() == right).then_some(Point { x, y, z: Field::<C, LIMBS>::ONE })
    }

    /// Whether this is a multiple of the base point: a curve with a cofactor has others.
    pub(super) fn is_of_the_group(&self) -> bool {
        let q = Scalar::<C, LIMBS>::MODULUS;
        C::COFACTOR == 1 || Self::sum_of_multiples([(q.as_ref(), *self)]).is_infinity()
    }

    /// The affine coordinates; infinity has none.
    pub(super) fn affine(&self) -> Option<(Uint<LIMBS>, Uint<LIMBS>)> {
        let inverse = Option::<Field<C, LIMBS>>::from(self.z.invert_vartime())?;
        let square = inverse.square();
        Some(((self.x * square).retrieve(), (self.y * square * inverse).retrieve()))
    }

    fn is_infinity(&self) -> bool {
        self.z == Field::<C, LIMBS>::ZERO
    }

    /// The sum of each point taken so many times: all share one chain of doublings (Straus), four bits at a time.
    pub(super) fn sum_of_multiples<const N: usize>(terms: [(&Uint<LIMBS>, Self); N]) -> Self {
        let tables = terms.map(|(_, point)| point.small_multiples());
        let digits = terms.map(|(times, _)| times.to_be_bytes());
        let mut sum = Self::INFINITY;
        for byte in 0..Uint::<LIMBS>::BYTES {
            for shift in [4, 0] {
                for _ in 0..4 {
                    sum = sum.double();
                }
                for (table, digits) in tables.iter().zip(&digits) {
                    sum = sum.add(&table[usize::from(digits.as_ref()[byte] >> shift & 15)]);
                }
            }
        }
        sum
    }

    /// 0 to 15 times the point.
    fn small_multiples(&self) -> [Self; 16] {
        let mut multiples = [Self::INFINITY; 16];
        for n in 1..16 {
            multiples[n] = multiples[n - 1].add(self);
        }
        multiples
    }

    /// dbl-2007-bl of the Explicit-Formulas Database, for any a. Infinity stays infinity.
    fn double(&self) -> Self {
        let (xx, yy, zz) = (self.x.square(), self.y.square(), self.z.square());
        let yyyy = yy.square();
        let s = ((self.x + yy).square() - xx - yyyy).double();
        let m = xx.double() + xx + C::A * zz.square();
        let x = m.square() - s.double();
        let y = m * (s - x) - yyyy.double().double().double();
        Point { x, y, z: (self.y + self.z).square() - yy - zz }
    }

    /// The general addition, with the cases that it does not cover taken apart.
    fn add(&self, other: &Self) -> Self {
        if self.is_infinity() {
            return *other;
        }
        if other.is_infinity() {
            return *self;
        }
        let (zz1, zz2) = (self.z.square(), other.z.square());
        let (u1, u2) = (self.x * zz2, other.x * zz1);
        let (s1, s2) = (self.y * zz2 * other.z, other.y * zz1 * self.z);
        let (h, r) = (u2 - u1, s2 - s1);
        if h == Field::<C, LIMBS>::ZERO {
            return if r == Field::<C, LIMBS>::ZERO { self.double() } else { Self::INFINITY };
        }
        let hh = h.square();
        let (hhh, v) = (hh * h, u1 * hh);
        let x = r.square() - hhh - v.double();
        Point { x, y: r * (v - x) - s1 * hhh, z: self.z * other.z * h }
    }
}
