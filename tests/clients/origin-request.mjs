// Verifies gateways' requests to origins (RFC 9421) as a private origin would, with a library that nobody here wrote.
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { createVerifier, httpbis } from "http-message-signatures";

const { cases } = JSON.parse(readFileSync(new URL("../../vectors/origin-request.json", import.meta.url)));
// An ed25519 key in SubjectPublicKeyInfo (RFC 8410) is this prefix and the 32 bytes.
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

const verify = async (request, { public_key }) => {
	const key = createPublicKey({
		key: Buffer.concat([SPKI, Buffer.from(public_key.slice(2), "hex")]),
		format: "der",
		type: "spki",
	});
	const keyLookup = async ({ keyid }) =>
		keyid === public_key.slice(2) ? { id: keyid, algs: ["ed25519"], verify: createVerifier(key, "ed25519") } : null;
	const config = {
		keyLookup,
		requiredFields: ["@method", "@authority", "@path", "@query"],
		// The vectors are of a fixed moment; an origin compares `created` with its clock.
		tolerance: Number.MAX_SAFE_INTEGER,
	};
	return (await httpbis.verifyMessage(config, request).catch(() => false)) === true;
};

let verified = 0;
let refused = 0;
for (const one of cases) {
	const headers = { "signature-input": one["signature-input"], signature: one.signature };
	const request = { method: one.method, url: new URL(one.url), headers };
	if (await verify(request, one)) verified += 1;
	const at = (change) => {
		const url = new URL(one.url);
		change(url);
		return { ...request, url };
	};
	const others = [
		{ ...request, method: "PUT" },
		at((url) => (url.hostname = "other.example")),
		at((url) => (url.pathname += "x")),
		at((url) => (url.search = "?other")),
	];
	for (const other of others) if (!(await verify(other, one))) refused += 1;
}
console.log(JSON.stringify({ cases: cases.length, verified, refused }));
