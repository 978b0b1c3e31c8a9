// polkadot-api: the new JSON-RPC and metadata v16, without generated descriptors.
//
//   node papi.mjs <ws url> <secret uri> <receiver> <epoch with a bill> <customer>
import { sr25519CreateDerive } from "@polkadot-labs/hdkd";
import assert from "node:assert/strict";
import { AccountId, Enum, createClient } from "polkadot-api";
import { getPolkadotSigner } from "polkadot-api/signer";
import { getWsProvider } from "polkadot-api/ws";
import { WebSocket } from "ws";

const [url, suri, receiver, epoch, customer] = process.argv.slice(2);
const client = createClient(getWsProvider(url, { websocketClass: WebSocket }));
const api = client.getUnsafeApi();
const seed = Uint8Array.from(Buffer.from(suri.replace(/^0x/, ""), "hex"));
const pair = sr25519CreateDerive(seed)("");
const signer = getPolkadotSigner(pair.publicKey, "Sr25519", pair.sign);

// Thirty-two bytes that are not an address are hex here.
const hex = (bytes) => `0x${Buffer.from(bytes).toString("hex")}`;
const send = async (tx) => {
  const result = await tx.signAndSubmit(signer);
  if (!result.ok) throw new Error(`${result.dispatchError.value?.type}.${result.dispatchError.value?.value?.type}`);
  return result.events.map((event) => `${event.type}.${event.value.type}`);
};

const spec = await client.getChainSpecData();
assert.deepEqual(spec.properties, { ss58Format: 460, tokenDecimals: 12, tokenSymbol: "SEL" });

const free = async () => (await api.query.System.Account.getValue(receiver)).data.free;
const before = await free();
await send(api.tx.Balances.transfer_keep_alive({ dest: Enum("Id", receiver), value: 1_000_000_000_000n }));
assert.equal((await free()) - before, 1_000_000_000_000n);

const deposited = (await api.apis.BillingApi.account(hex(pair.publicKey)))?.balance ?? 0n;
assert.ok((await send(api.tx.Billing.deposit({ amount: 2_000_000_000_000n }))).includes("Billing.Deposited"));
assert.ok((await send(api.tx.NodeStaking.create_stake({ role: Enum("Cache") }))).includes("NodeStaking.StakeCreated"));
await assert.rejects(send(api.tx.Billing.withdraw({ amount: 10n ** 30n })), /Billing\./);

const account = await api.apis.BillingApi.account(hex(pair.publicKey));
assert.equal(account.balance - deposited, 2_000_000_000_000n);
const head = await api.apis.BillingApi.invoice_head(hex(AccountId().enc(customer)), BigInt(epoch));
assert.ok(head.lines.length > 0, "the invoice has lines");

console.log(JSON.stringify({ client: "polkadot-api", lines: head.lines.length }));
client.destroy();
