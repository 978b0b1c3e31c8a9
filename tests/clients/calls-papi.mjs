// polkadot-api: makes, signs and sends every call of the table, and reads every error, without generated descriptors.
//
//   node calls-papi.mjs <ws url> <secret seed>
import { decAnyMetadata, unifyMetadata } from "@polkadot-api/substrate-bindings";
import { sr25519CreateDerive } from "@polkadot-labs/hdkd";
import assert from "node:assert/strict";
import { AccountId, createClient } from "polkadot-api";
import { getPolkadotSigner } from "polkadot-api/signer";
import { getWsProvider } from "polkadot-api/ws";
import { WebSocket } from "ws";
import { assertComplete, calls, DONE, STOCK } from "./calls.mjs";

const [url, suri] = process.argv.slice(2);
const client = createClient(getWsProvider(url, { websocketClass: WebSocket }));
const api = client.getUnsafeApi();
const pair = sr25519CreateDerive(Uint8Array.from(Buffer.from(suri.replace(/^0x/, ""), "hex")))("");
const signer = getPolkadotSigner(pair.publicKey, "Sr25519", pair.sign);
const address = AccountId(460).dec(pair.publicKey);
const table = calls({ address, agent: `0x${Buffer.from(pair.publicKey).toString("hex")}` });

const metadata = unifyMetadata(decAnyMetadata(await api.apis.Metadata.metadata_at_version(16)));
const variants = (part) =>
  part ? metadata.lookup[part.type].def.value.map(({ name, docs }) => ({ name, docs: docs.join(" ").trim() })) : [];
const pallets = metadata.pallets.map((pallet) => ({
  name: pallet.name,
  calls: variants(pallet.calls),
  errors: variants(pallet.errors),
}));
assertComplete(table, Object.fromEntries(pallets.map(({ name, calls }) => [name, calls.map((call) => call.name)])));
for (const { name, calls, errors } of pallets.filter(({ name }) => !STOCK.includes(name))) {
  for (const item of [...calls, ...errors]) assert.ok(item.docs, `${name}.${item.name} says what it is`);
}

/** How a dispatch ended, and what the metadata says of it. */
const read = ({ ok, dispatchError }) => {
  if (ok) return { end: DONE };
  if (dispatchError.type !== "Module") return { end: dispatchError.type };
  const { type: pallet, value: error } = dispatchError.value;
  const { errors } = pallets.find(({ name }) => name === pallet);
  return { end: `${pallet}.${error.type}`, docs: errors.find(({ name }) => name === error.type)?.docs };
};

/** Signs and sends a call; the answer says how it ended once it is in a block. */
const send = (tx, nonce) =>
  new Promise((resolve, reject) => {
    const watched = tx.signSubmitAndWatch(signer, { nonce }).subscribe({
      next: (event) => {
        if (event.type !== "txBestBlocksState" || !event.found) return;
        watched.unsubscribe();
        resolve(read(event));
      },
      error: reject,
    });
  });

let nonce = await api.apis.AccountNonceApi.account_nonce(address);
const all = Object.entries(table).flatMap(([pallet, calls]) =>
  Object.entries(calls).map(([name, [args, end]]) => ({ pallet, name, args, end })),
);
const ended = [];
while (ended.length < all.length) {
  // A node broadcasts sixteen transactions at once for a connection, and no more.
  const few = all.slice(ended.length, ended.length + 16);
  const results = few.map(async ({ pallet, name, args, end }) => {
    const result = await send(api.tx[pallet][name](args), nonce++);
    assert.equal(result.end, end, `${pallet}.${name}`);
    if (result.end.includes(".")) assert.ok(result.docs, `${result.end} says what it is`);
    return result;
  });
  ended.push(...(await Promise.all(results)));
}
const refused = new Set(ended.map(({ end }) => end).filter((end) => end.includes(".")));

console.log(JSON.stringify({ client: "polkadot-api", calls: ended.length, errors: [...refused].sort() }));
client.destroy();
