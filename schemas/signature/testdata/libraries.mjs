// Reads a list of cases on stdin, lets the npm libraries verify our signature and
// make their own, and writes the answers to stdout. Run by interop_node_test.go in a
// folder where the libraries are installed.
import { readFileSync } from "node:fs";
import { Webhook as StandardWebhooks } from "standardwebhooks";
import { Webhook as Svix } from "svix";

const libraries = { standardwebhooks: StandardWebhooks, svix: Svix };

function verifies(webhook, c, body) {
  try {
    webhook.verify(body, {
      "webhook-id": c.id,
      "webhook-timestamp": c.timestamp,
      "webhook-signature": c.signature,
    });
    return true;
  } catch (error) {
    // A body that is no JSON is parsed only after its signature was found right.
    return error instanceof SyntaxError;
  }
}

const answers = JSON.parse(readFileSync(0, "utf8")).map((c) => {
  const answer = {};
  for (const [name, Webhook] of Object.entries(libraries)) {
    const webhook = new Webhook(c.key);
    answer[name] = {
      verified: verifies(webhook, c, c.body),
      changed: verifies(webhook, c, c.body + " "),
      signature: webhook.sign(c.id, new Date(Number(c.timestamp) * 1000), c.body),
    };
  }
  return answer;
});
process.stdout.write(JSON.stringify(answers));
