// @polkadot/api: makes, signs and sends every call of the table, and reads every error.
//
//   node calls-legacy.mjs <ws url> <secret uri>
import { ApiPromise, Keyring, WsProvider } from "@polkadot/api";
import { stringCamelCase } from "@polkadot/util";
import assert from "node:assert/strict";
import { assertComplete, calls, DONE, plain, STOCK } from "./calls.mjs";

const [url, suri] = process.argv.slice(2);
const api = await ApiPromise.create({ provider: new WsProvider(url), noInitWarn: true });
const signer = new Keyring({ type: "sr25519", ss58Format: api.registry.chainSS58 }).addFromUri(suri);
const agent = `0x${Buffer.from(signer.publicKey).toString("hex")}`;
const table = calls({ address: signer.address, agent });

const pallets = api.runtimeMetadata.asLatest.pallets.map((pallet) => ({
  name: pallet.name.toString(),
  calls: pallet.calls.isSome ? variants(pallet.calls.unwrap()) : [],
  errors: pallet.errors.isSome ? variants(pallet.errors.unwrap()) : [],
}));
function variants({ type }) {
  return api.registry.lookup.getSiType(type).def.asVariant.variants.map(({ name, docs }) => ({
    name: name.toString(),
    docs: docs.map(String).join(" ").trim(),
  }));
}
assertComplete(table, Object.fromEntries(pallets.map(({ name, calls }) => [name, calls.map((call) => call.name)])));
for (const { name, calls, errors } of pallets.filter(({ name }) => !STOCK.includes(name))) {
  for (const item of [...calls, ...errors]) assert.ok(item.docs, `${name}.${item.name} says what it is`);
}

/** How a dispatch ended, and what the metadata says of it. */
const read = (error) => {
  if (!error) return { end: DONE };
  if (!error.isModule) return { end: error.type };
  const { section, name, docs } = api.registry.findMetaError(error.asModule);
  const pallet = pallets.find((pallet) => stringCamelCase(pallet.name) === section);
  return { end: `${pallet.name}.${name}`, docs: docs.join(" ").trim() };
};

/** Signs and sends a call; the answer says how it ended once it is in a block. */
const send = (call, nonce) =>
  new Promise((resolve, reject) => {
    call
      .signAndSend(signer, { nonce }, ({ status, dispatchError, isError }) => {
        if (status.isInBlock) resolve(read(dispatchError));
        else if (isError) reject(new Error(status.type));
      })
      .catch(reject);
  });

let nonce = (await api.rpc.system.accountNextIndex(signer.address)).toNumber();
const sent = Object.entries(table).flatMap(([pallet, calls]) =>
  Object.entries(calls).map(async ([name, [args, end, legacy]]) => {
    const call = api.tx[stringCamelCase(pallet)][stringCamelCase(name)];
    const fields = new Map(Object.entries(legacy ?? plain(args)).map(([name, field]) => [stringCamelCase(name), field]));
    assert.equal(fields.size, call.meta.args.length, `${pallet}.${name} has as many arguments as the table`);
    const values = call.meta.args.map((arg) => fields.get(stringCamelCase(arg.name.toString())));
    const result = await send(call(...values), nonce++);
    assert.equal(result.end, end, `${pallet}.${name}`);
    if (result.end.includes(".")) assert.ok(result.docs, `${result.end} says what it is`);
    return result;
  }),
);
const ended = await Promise.all(sent);
const refused = new Set(ended.map(({ end }) => end).filter((end) => end.includes(".")));

console.log(JSON.stringify({ client: "@polkadot/api", calls: ended.length, errors: [...refused].sort() }));
await api.disconnect();
