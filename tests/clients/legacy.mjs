// @polkadot/api: what wallets use. It knows nothing of Selvedge but what the chain's metadata says.
//
//   node legacy.mjs <ws url> <secret uri> <receiver> <epoch with a bill> <customer>
import { ApiPromise, Keyring, WsProvider } from "@polkadot/api";
import assert from "node:assert/strict";

const [url, suri, receiver, epoch, customer] = process.argv.slice(2);
const api = await ApiPromise.create({ provider: new WsProvider(url), noInitWarn: true });
const signer = new Keyring({ type: "sr25519", ss58Format: api.registry.chainSS58 }).addFromUri(suri);

/** Signs, sends and waits for the block to be final; a dispatch error is a failure with its documented name. */
const send = (call) =>
  new Promise((resolve, reject) => {
    call
      .signAndSend(signer, ({ status, dispatchError, events }) => {
        if (dispatchError) {
          const { section, name } = dispatchError.isModule
            ? api.registry.findMetaError(dispatchError.asModule)
            : { section: "dispatch", name: dispatchError.toString() };
          reject(new Error(`${section}.${name}`));
        } else if (status.isFinalized) {
          resolve(events.map(({ event }) => `${event.section}.${event.method}`));
        }
      })
      .catch(reject);
  });

assert.equal(api.registry.chainSS58, 460);
assert.deepEqual(api.registry.chainTokens, ["SEL"]);
assert.deepEqual(api.registry.chainDecimals, [12]);
assert.ok(signer.address.startsWith("se"), signer.address);

const before = (await api.query.system.account(receiver)).data.free.toBigInt();
await send(api.tx.balances.transferKeepAlive(receiver, 1_000_000_000_000n));
const after = (await api.query.system.account(receiver)).data.free.toBigInt();
assert.equal(after - before, 1_000_000_000_000n);

const onDeposit = async () => BigInt((await api.call.billingApi.account(signer.publicKey)).toJSON()?.balance ?? 0);
const deposited = await onDeposit();
assert.ok((await send(api.tx.billing.deposit(2_000_000_000_000n))).includes("billing.Deposited"));
assert.ok((await send(api.tx.nodeStaking.createStake("Cache"))).includes("nodeStaking.StakeCreated"));
await assert.rejects(send(api.tx.billing.withdraw(10n ** 30n)), /billing\./);

assert.equal((await onDeposit()) - deposited, 2_000_000_000_000n);
const head = (await api.call.billingApi.invoiceHead(api.createType("AccountId", customer).toU8a(), epoch)).unwrap();
assert.ok(head.lines.length > 0, "the invoice has lines");

console.log(JSON.stringify({ client: "@polkadot/api", lines: head.lines.length, signer: signer.address }));
await api.disconnect();
