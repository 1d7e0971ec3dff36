package signature

import (
	"math/big"
	"slices"
)

type pointClass int

const (
	pointInvalid pointClass = iota
	pointSmallOrder
	pointUsable
)

// classifyPoint tells what an encoded ed25519 public key of 32 bytes is worth.
//
// crypto/ed25519 does not say whether a key is a point of the curve; it only
// fails every signature. And it accepts the eight points whose order divides 8,
// as RFC 8032 lets it: for those a signature can be made without any private key.
// The bytes of a forgotten placeholder (all zeros) are such a point.
//
// The curve is -x² + y² = 1 + d·x²·y² over p = 2²⁵⁵-19, d = -121665/121666
// (RFC 8032 §5.1). The key holds y, and the sign of x in the highest bit. The
// arithmetic is not constant in time; the key is public.
func classifyPoint(key []byte) pointClass {
	one := big.NewInt(1)
	p := new(big.Int).Lsh(one, 255)
	p.Sub(p, big.NewInt(19))
	mul := func(a, b *big.Int) *big.Int { return new(big.Int).Mod(new(big.Int).Mul(a, b), p) }

	bigEndian := slices.Clone(key)
	slices.Reverse(bigEndian)
	bigEndian[0] &= 0x7f
	y := new(big.Int).SetBytes(bigEndian)
	if y.Cmp(p) >= 0 {
		return pointInvalid // RFC 8032 §5.1.3, step 1
	}

	d := new(big.Int).ModInverse(big.NewInt(121666), p)
	d = mul(d, big.NewInt(-121665))
	y2 := mul(y, y)
	u := new(big.Int).Sub(y2, one)         // x² = u/v
	v := new(big.Int).Add(mul(d, y2), one) // never 0, because -1/d is no square

	// u/v is a square exactly when u·v is one.
	if big.Jacobi(mul(u, v), p) == -1 {
		return pointInvalid
	}
	// Order 1 and 2: y² = 1. Order 4: y = 0. Order 8: doubling gives y = 0, which
	// the addition law turns into x² = -y², and the curve into d·y⁴ + 2y² = 1.
	order8 := new(big.Int).Add(mul(d, mul(y2, y2)), new(big.Int).Lsh(y2, 1))
	if y.Sign() == 0 || u.Sign() == 0 || mul(order8.Sub(order8, one), one).Sign() == 0 {
		return pointSmallOrder
	}
	return pointUsable
}
