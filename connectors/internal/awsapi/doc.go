// Package awsapi is what the kinds that speak to AWS have in common: where the credentials come from and whom they belong to,
// one HTTP client, calls that are made once and never repeated by the SDK, and what AWS's errors mean.
package awsapi
