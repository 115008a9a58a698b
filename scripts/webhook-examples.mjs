// Gathers the webhook payloads that were recorded from GitHub, for the tests of ci-github and ci-node.
//
// To renew:
//
//   npm install --prefix DIR @octokit/webhooks-examples
//   node scripts/webhook-examples.mjs DIR
//
// Written is crates/ci-github/tests/payloads/published.jsonl.gz: each payload of the package once, whatever
// product it was recorded from, as a line {"event": …, "payload": …}. The version goes into the NOTICE beside it.

import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";

const folder = process.argv[2];
if (!folder) throw new Error("say where the npm package is installed");
const packaged = path.resolve(folder, "node_modules/@octokit/webhooks-examples");
const { version } = JSON.parse(fs.readFileSync(path.resolve(packaged, "package.json"), "utf8"));

const lines = new Set();
for (const product of fs.readdirSync(packaged).sort()) {
  const index = path.resolve(packaged, product, "index.json");
  if (!fs.existsSync(index)) continue;
  for (const { name, examples } of JSON.parse(fs.readFileSync(index, "utf8"))) {
    for (const payload of examples) lines.add(JSON.stringify({ event: name, payload }));
  }
}

const target = path.resolve(import.meta.dirname, "../crates/ci-github/tests/payloads");
const packed = zlib.gzipSync([...lines].join("\n") + "\n", { level: 9 });
fs.writeFileSync(path.resolve(target, "published.jsonl.gz"), packed);
console.log(`${lines.size} payloads of version ${version}, ${packed.length} bytes`);
