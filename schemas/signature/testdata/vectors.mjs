// Reads vectors.json on stdin, checks every vector with node:crypto, and writes one
// answer for each to stdout: whether its signature verifies, whether it does so over
// another body, and the signature that node:crypto makes. Run by interop_node_test.go.
import { createHmac, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";

// The fixed DER bytes before a raw ed25519 key (RFC 8410).
const privateHead = Buffer.from("302e020100300506032b657004220420", "hex");
const publicHead = Buffer.from("302a300506032b6570032100", "hex");

const raw = (key) => Buffer.from(key.slice(key.indexOf("_") + 1), "base64");

function check(v) {
  const body = v.body_base64 === undefined ? Buffer.from(v.body) : Buffer.from(v.body_base64, "base64");
  const message = Buffer.concat([Buffer.from(`${v.id}.${v.timestamp}.`), body]);
  if (v.public === undefined) {
    const mac = (m) => "v1," + createHmac("sha256", raw(v.key)).update(m).digest("base64");
    return { verified: mac(message) === v.signature, changed: mac(Buffer.concat([message, Buffer.from(" ")])) === v.signature, signature: mac(message) };
  }
  const privateKey = createPrivateKey({ key: Buffer.concat([privateHead, raw(v.key).subarray(0, 32)]), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey({ key: Buffer.concat([publicHead, raw(v.public)]), format: "der", type: "spki" });
  const given = Buffer.from(v.signature.slice("v1a,".length), "base64");
  return {
    verified: verify(null, message, publicKey, given),
    changed: verify(null, Buffer.concat([message, Buffer.from(" ")]), publicKey, given),
    signature: "v1a," + sign(null, message, privateKey).toString("base64"),
  };
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(check)));
