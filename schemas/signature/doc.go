// Package signature signs and verifies webhooks by Standard Webhooks 1.0.0, in
// both directions: what senders bring to resetd, and what resetd reports back.
// A [Template] describes the HMAC of senders that sign in a way of their own. The
// package does no I/O and keeps no clock; the caller hands in bytes and times.
//
// # What is signed
//
// The signed text is the id, the timestamp in whole Unix seconds and the raw
// body, joined by full stops. Version "v1" is HMAC-SHA256 with a shared secret
// (whsec_), version "v1a" is ed25519 with a key pair (whsk_ private, whpk_
// public). One signature header may carry several signatures, so that keys can
// be exchanged without a gap.
//
// # Where it is stricter than the specification
//
// The specification leaves lengths, counts and number formats open, and the
// reference libraries differ from each other there. This package accepts one
// spelling only: each header exactly once, a canonical timestamp, an id that
// cannot contain a full stop, at most [MaxSignatures] signatures of exactly two
// fields, padded standard base64 without line breaks, and keys of the size that
// the specification asks for. There is no second attempt with other rules.
//
// # Templates
//
// A [TemplateVerifier] is as strict about what a vendor's own scheme leaves open,
// and a template that would prove less than it seems to is refused before use. It
// cannot add what a scheme does not sign: [Template.SignsTime] and
// [Template.SignsID] tell what the caller must make up for.
//
// # What it does not do
//
// A valid signature does not mean that a delivery is new: within the tolerance
// the same bytes verify again and again. The caller must use [Delivery].ID as an
// idempotency key. Method and path are not signed either, so a key must belong
// to one endpoint.
package signature
