// Signed URLs and cookies, signed and checked a second time: all of vectors/rules-signed.json.
//
//   node rules.mjs
import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const golden = JSON.parse(readFileSync(new URL("../../vectors/rules-signed.json", import.meta.url)));
const der = (head, octets) => Buffer.concat([Buffer.from(head, "hex"), Buffer.from(octets, "hex")]);
const secret = createPrivateKey({ key: der("302e020100300506032b657004220420", golden.secret), format: "der", type: "pkcs8" });
const open = createPublicKey({ key: der("302a300506032b6570032100", golden.ed25519), format: "der", type: "spki" });

const message = (scope) => Buffer.from(`selvedge-signed-v1\n${golden.host}\n${scope}\n${golden.expires}`);
const scope = ({ target, below }) => (below === null ? `path ${target}` : `prefix ${below}`);

for (const { target, below, signed } of golden.urls) {
  const signature = sign(null, message(scope({ target, below })), secret).toString("hex");
  const prefix = below === null ? "" : `&selvedge-prefix=${below}`;
  const query = `selvedge-expires=${golden.expires}&selvedge-key=${golden.id}${prefix}&selvedge-signature=${signature}`;
  assert.equal(signed, `${target}${target.includes("?") ? "&" : "?"}${query}`);
}
for (const { below, signed } of golden.cookies) {
  const [name, value] = signed.split("=");
  const [id, expires, path, signature] = value.split(":");
  assert.deepEqual([name, id, expires, path], ["selvedge-signed", golden.id, String(golden.expires), below]);
  assert.ok(verify(null, message(scope({ below })), open, Buffer.from(signature, "hex")));
}
console.log(JSON.stringify({ urls: golden.urls.length, cookies: golden.cookies.length }));
