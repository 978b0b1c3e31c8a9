// Every call of the chain's own pallets, in the order in which one account sends them, each with the way it ends.
//
// Arguments are as `polkadot-api` takes them; `plain` makes of them what `@polkadot/api` takes. A call that is not here,
// or that is here and not in the metadata, fails both scripts.
import assert from "node:assert/strict";
import { Enum } from "polkadot-api";

/** Pallets that come with the SDK. One that is neither here nor in the table fails both scripts. */
export const STOCK = [
  "AuthorityDiscovery", "Authorship", "Babe", "Balances", "ConvictionVoting", "Grandpa", "Historical", "Identity", "Multisig",
  "Offences", "Parameters", "Preimage", "Proxy", "Referenda", "SafeMode", "Scheduler", "Session", "Sudo", "System", "Timestamp",
  "TransactionPayment", "Treasury", "TxPause", "Utility",
];

/** How a call ends that succeeds; the others end in an error, by its name. */
export const DONE = "done";

const text = (words) => new TextEncoder().encode(words);
const hex = (octet, count) => `0x${octet.repeat(count)}`;
const NOBODY = 2n ** 64n - 1n;
const DEVICE = hex("d7", 32);
const SIGNATURE = hex("00", 64);
const KEY = hex("00", 40);
const UNUSED = { leaves: 0n, paid: Array(6).fill(0n), free: Array(6).fill(0n), amount: 0n };
const TREE = { root: hex("00", 32), entries: 1, min: KEY, max: KEY, sum: UNUSED };
const ENTRY = { entry: { key: KEY, sum: UNUSED, leaves_root: hex("00", 32) }, proof: { start: 0, siblings: [] } };
const PROOF = Enum("Entry", { tree: Enum("Customers"), entry: ENTRY });
const USAGE = Array(6).fill(0n);
const LEAF = {
  entry: ENTRY,
  leaf: {
    body: {
      gateway: DEVICE,
      epoch: 1n,
      customer: hex("11", 32),
      service: 1n,
      cache: DEVICE,
      slice: 0,
      price_version: 1,
      paid: USAGE,
      free: USAGE,
      amount: 0n,
      quality: { answered: 0n, failed: 0n, ttfb_micros: 0n },
      vouchers_root: hex("00", 32),
    },
    cache_signature: SIGNATURE,
  },
  proof: { start: 0, siblings: [] },
};
const VOUCHER = { epoch: 1n, gateway: DEVICE, cache: DEVICE, seq: 1n, usage: USAGE, amount: 1n };
const PAGE = { gateway: DEVICE, epoch: 1n, entries: [], proof: { start: 0, siblings: [] }, agent_signature: undefined };

/** Pallet -> call -> arguments and end; `me` signs, `agent` is any key, both in hex, `address` is the signer's. */
export const calls = ({ address, agent }) => ({
  NodeRegistry: {
    register_device: [
      {
        device: DEVICE,
        role: Enum("Cache"),
        region: `0x${Buffer.from("eu-west\0").toString("hex")}`,
        endpoint: text("127.0.0.1:1"),
        public_url: text("http://127.0.0.1:1"),
        capacity: 1,
        agent_key: agent,
        until: NOBODY,
        signature: SIGNATURE,
      },
      "NodeRegistry.AgreementTooLong",
    ],
    update_device: [
      { device: DEVICE, endpoint: text("127.0.0.1:1"), public_url: text("http://127.0.0.1:1"), capacity: 1 },
      "NodeRegistry.UnknownDevice",
    ],
    set_agent_key: [{ device: DEVICE, agent_key: agent }, "NodeRegistry.UnknownDevice"],
    retire_device: [{ device: DEVICE }, "NodeRegistry.UnknownDevice"],
    request_drain: [{ device: DEVICE }, "NodeRegistry.UnknownDevice"],
    end_drain: [{ device: DEVICE }, "NodeRegistry.UnknownDevice"],
  },
  NodeStaking: {
    create_stake: [{ role: Enum("Cache") }, DONE],
    assign: [{ stake: NOBODY, device: DEVICE, signature: SIGNATURE }, "NodeStaking.UnknownStake"],
    unassign: [{ stake: NOBODY }, "NodeStaking.UnknownStake"],
    request_unlock: [{ stake: NOBODY, amount: 1n }, "NodeStaking.UnknownStake"],
    withdraw_unlocked: [{ stake: NOBODY, chunk: 0 }, "NodeStaking.UnknownStake"],
    release_express: [{ stake: NOBODY }, "NodeStaking.UnknownStake"],
    commit_lock: [{ stake: NOBODY, days: 1 }, "NodeStaking.UnknownStake"],
  },
  Billing: {
    deposit: [{ amount: 2_000_000_000_000n }, DONE],
    withdraw: [{ amount: 10n ** 30n }, "Billing.AboveWithdrawable"],
    deposit_referred: [{ amount: 2_000_000_000_000n, referrer: address }, "Billing.AlreadyOpened"],
    pay_referrals: [{ gateway: DEVICE, epoch: 1n }, "Billing.UnknownCommitment"],
    release_first: [{ device: DEVICE, owner: address }, "Billing.NothingToClaim"],
    poke: [{ account: address }, DONE],
    close: [{}, DONE],
    claim: [{}, "Billing.NothingToClaim"],
    claim_for: [{ account: address }, "Billing.NothingToClaim"],
    commit_usage: [
      { commitment: { gateway: DEVICE, epoch: 1n, customers: TREE, caches: TREE }, agent_signature: SIGNATURE },
      "BadOrigin",
    ],
    settle: [PAGE, "Billing.UnknownCommitment"],
    credit: [PAGE, "Billing.UnknownCommitment"],
    refund: [PAGE, "Billing.UnknownCommitment"],
    void: [{ gateway: DEVICE, epoch: 1n, reason: Enum("UnknownService") }, "BadOrigin"],
  },
  Services: {
    create_service: [
      { hosts: [text("shop.example.org")], origin_url: text("https://example.org"), cap: 0n, price_version: 1 },
      "Services.CapIsZero",
    ],
    add_host: [{ service: NOBODY, host: text("shop.example.org") }, "Services.UnknownService"],
    remove_host: [{ service: NOBODY, host: text("shop.example.org") }, "Services.UnknownService"],
    set_origin: [{ service: NOBODY, origin_url: text("https://example.org") }, "Services.UnknownService"],
    set_cap: [{ service: NOBODY, cap: 1n }, "Services.UnknownService"],
    set_price_version: [{ service: NOBODY, price_version: 1 }, "Services.UnknownService"],
    pause: [{ service: NOBODY }, "Services.UnknownService"],
    resume: [{ service: NOBODY }, "Services.UnknownService"],
    remove_service: [{ service: NOBODY }, "Services.UnknownService"],
    attest_host: [
      { service: NOBODY, host: text("shop.example.org"), device: DEVICE, epoch: NOBODY, found: true, signature: SIGNATURE },
      "Services.WrongEpoch",
    ],
    publish_prices: [{ prices: Array(6).fill(1n) }, "BadOrigin"],
    pin: [
      {
        service: NOBODY,
        pin: { content: { root: hex("1a", 32), length: 1n, kind: Enum("File") }, bytes: 1n, factor: 3 },
      },
      "Services.UnknownService",
    ],
    unpin: [{ service: NOBODY, root: hex("1a", 32) }, "Services.UnknownService"],
    set_site: [{ service: NOBODY, root: hex("1a", 32) }, "Services.UnknownService"],
    set_rules: [{ service: NOBODY, root: undefined }, "Services.UnknownService"],
  },
  Audits: {
    report_fraud: [{ gateway: DEVICE, epoch: 1n, proof: PROOF }, "Audits.UnknownCommitment"],
    vote: [{ auditor: DEVICE, window: 1n, round: 0, seal: hex("00", 32), agent_signature: SIGNATURE }, "BadOrigin"],
    reveal: [
      { auditor: DEVICE, window: 1n, round: 0, verdicts: [], salt: hex("00", 32), agent_signature: SIGNATURE },
      "BadOrigin",
    ],
    prove: [{ auditor: DEVICE, gateway: DEVICE, epoch: 1n, proof: PROOF, agent_signature: SIGNATURE }, "BadOrigin"],
    answer: [
      {
        gateway: DEVICE,
        epoch: 1n,
        draw: { tree: Enum("Caches"), at: Enum("Index", 0n) },
        leaf: LEAF,
        agent_signature: SIGNATURE,
      },
      "BadOrigin",
    ],
    challenge_leaf: [
      { gateway: DEVICE, epoch: 1n, tree: Enum("Customers"), at: Enum("Amount", 0n) },
      "Audits.UnknownCommitment",
    ],
    post_leaf: [{ auditor: DEVICE, gateway: DEVICE, epoch: 1n, leaf: LEAF, agent_signature: SIGNATURE }, "BadOrigin"],
    name_canary: [{ seal: hex("00", 32), operator: address }, "BadOrigin"],
    forget_canary: [{ seal: hex("00", 32) }, "BadOrigin"],
    pledge: [{ canary: hex("00", 32), seal: hex("00", 32) }, "Audits.UnknownCanary"],
    open_canary: [
      {
        opening: {
          name: { gateway: DEVICE, customers: [], salt: hex("00", 32) },
          pledged: { gateway: DEVICE, epoch: 1n, leaves: [], salt: hex("00", 32) },
          tree: Enum("Customers"),
          shown: LEAF,
        },
      },
      "Audits.UnknownCanary",
    ],
  },
  Claims: {
    redeem_voucher: [{ voucher: { voucher: VOUCHER, signature: SIGNATURE }, shown: undefined }, "Claims.NotActive"],
    dispute_line: [{ gateway: DEVICE, epoch: 1n, service: NOBODY, burn: 1n }, "Claims.NoHeldLine"],
    close_dispute: [{ gateway: DEVICE, epoch: 1n, customer: address, service: NOBODY }, "Claims.UnknownDispute"],
  },
  Reputation: {
    report_probes: [{ prober: DEVICE, epoch: 1n, probes: [], signature: SIGNATURE }, "BadOrigin"],
    rejoin: [{ device: DEVICE }, "Reputation.UnknownDevice"],
    dispute_region: [{ device: DEVICE }, "Reputation.UnknownDevice"],
    withdraw_dispute: [{ device: DEVICE }, "Reputation.NotDisputed"],
  },
  NodeYields: {
    claim: [{}, "NodeYields.NothingToClaim"],
  },
  EdgeGovernance: {
    set_parameter: [
      { parameter: Enum("Shares", Enum("Take", [200_000])) },
      "BadOrigin",
      // A key without fields is left out by the one client and written by the other.
      { parameter: { Shares: { Take: [null, 200_000] } } },
    ],
  },
});

/** Arguments as `@polkadot/api` takes them. */
export const plain = (value) => {
  if (value === undefined) return null;
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString("hex")}`;
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if ("type" in value && "value" in value) {
    return value.value === undefined ? value.type : { [value.type]: plain(value.value) };
  }
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
};

/** Fails unless the table has every call of the metadata, and no other. `found`: pallet -> names of its calls. */
export const assertComplete = (table, found) => {
  const names = (pallets) =>
    Object.entries(pallets).flatMap(([pallet, calls]) => calls.map((call) => `${pallet}.${call}`)).sort();
  const own = Object.fromEntries(Object.entries(found).filter(([pallet]) => !STOCK.includes(pallet)));
  const listed = Object.fromEntries(Object.entries(table).map(([pallet, calls]) => [pallet, Object.keys(calls)]));
  assert.deepEqual(names(listed), names(own), "the table in calls.mjs and the metadata");
};
