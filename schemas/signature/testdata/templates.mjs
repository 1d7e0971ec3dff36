// Reads templates.json on stdin and writes, for each vector, the headers that its sender signs, made with node:crypto.
// What each sender signs is written out here once more, by what its vendor documents, and knows nothing of templates.
// Run by template_vectors_test.go.
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

const hmac = (key, parts, encoding = "hex", algorithm = "sha256") => {
  const h = createHmac(algorithm, key);
  for (const part of parts) h.update(part);
  return h.digest(encoding);
};
const old = "a-key-that-was-exchanged-long-ago";
const stripe = (v, header, separator) => {
  const t = String(v.clock);
  return { [header]: `t=${t},v1=${hmac(v.key, [t, separator, v.raw])}` };
};
const zendesk = (v) => {
  const t = v.headers["X-Zendesk-Webhook-Signature-Timestamp"];
  return { "X-Zendesk-Webhook-Signature": hmac(v.key, [t, v.raw], "base64") };
};

const senders = {
  "github": (v) => ({ "X-Hub-Signature-256": "sha256=" + hmac(v.key, [v.raw]) }),
  "github, sha1 of old days": (v) => ({ "X-Hub-Signature": "sha1=" + hmac(v.key, [v.raw], "hex", "sha1") }),
  "jira": (v) => ({ "X-Hub-Signature": "sha256=" + hmac(v.key, [v.raw]) }),
  "pagerduty": (v) => ({ "X-PagerDuty-Signature": "v1=" + hmac(v.key, [v.raw]) }),
  "pagerduty, while the key is exchanged": (v) => ({ "X-PagerDuty-Signature": `v1=${hmac(old, [v.raw])},v1=${hmac(v.key, [v.raw])}` }),
  "slack": (v) => ({ "X-Slack-Signature": "v0=" + hmac(v.key, [`v0:${v.clock}:`, v.raw]) }),
  "zendesk": zendesk,
  "zendesk, another zone and a fraction": zendesk,
  "grafana": (v) => ({ "X-Grafana-Alerting-Signature": hmac(v.key, [v.raw]) }),
  "grafana with a time": (v) => ({ "X-Grafana-Alerting-Signature": hmac(v.key, [`${v.clock}:`, v.raw]) }),
  "gitguardian": (v) => ({ "Gitguardian-Signature": "sha256=" + hmac(v.clock + v.key, [v.raw]) }),
  "crowdstrike": (v) => ({ "X-CS-Primary-Signature": hmac(v.key, [v.raw, v.headers["X-CS-Delivery-Timestamp"]], "base64") }),
  "teams": (v) => ({ "Authorization": "HMAC " + hmac(Buffer.from(v.key, "base64"), [v.raw], "base64") }),
  "rapid7": (v) => ({ "X-Rapid7-Signature": hmac(v.key, [v.raw], "base64") }),
  "servicenow, a script": (v) => ({ "X-SN-Signature": hmac(v.key, [v.raw], "base64") }),
  "splunk observability": (v) => ({ "X-SFX-Signature": hmac(v.key, [v.raw], "base64") }),
  "stripe": (v) => stripe(v, "Stripe-Signature", "."),
  "stripe, another key and a test mode beside": (v) => {
    const made = [v.key, old].map((key) => hmac(key, [`${v.clock}.`, v.raw]));
    return { "Stripe-Signature": `t=${v.clock},v0=${"0".repeat(64)},v1=${made[1]},v1=${made[0]}` };
  },
  "convoy": (v) => stripe(v, "X-Convoy-Signature", ","),
  "flare": (v) => stripe(v, "X-Flare-Signature", "."),
  "hcp vault radar": (v) => ({ "X-HCP-Radar-Signature": "sha512=" + hmac(v.key, [v.raw], "hex", "sha512") }),
  "trend micro conformity": (v) => ({ "X-Conformity-Signature": hmac(v.key, [v.raw]) }),
  "everything at once": (v) => ({
    "X-Signature": "s1:" + hmac(Buffer.from(v.key, "hex"), [`POST /v1/hooks/soar\ntenant-7|evt_2mVkP0.${v.clock}250\n`, v.raw], "base64url", "sha512"),
  }),
  "behind the body": (v) => ({ "X-Signature": hmac(v.key, [v.raw, `\nevt_1\n${v.clock}`]) }),
  "no body at all": (v) => ({ "X-Signature": hmac(v.key, []) }),
};

const vectors = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(vectors.map((v) => {
  v.raw = v.body_base64 === undefined ? Buffer.from(v.body) : Buffer.from(v.body_base64, "base64");
  return senders[v.name](v);
})));
