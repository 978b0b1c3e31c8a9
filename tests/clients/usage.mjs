// The usage tree by customer, from its description alone: SCALE forms, hashes and proofs. See vectors/README.md.
import { Bytes, Struct, Variant, Vector, _void, bool, u8, u16, u32, u64, u128 } from "@polkadot-api/substrate-bindings";
import { keccak_256 } from "@noble/hashes/sha3.js";

const hash = Bytes(32);
const usage = Vector(u64, 6);
const sum = Struct({ leaves: u64, paid: usage, free: usage, amount: u128 });
const node = (key) => Struct({ min: key, max: key, sum, hash });
const entryKey = Bytes(40);
const leafKey = Bytes(42);
const entryNode = node(entryKey);
const leafNode = node(leafKey);
const entry = Struct({ key: entryKey, sum, leavesRoot: hash });
const proof = (node) => Struct({ start: u32, siblings: Vector(node) });
const leaf = Struct({
  body: Struct({
    gateway: hash,
    epoch: u64,
    customer: hash,
    service: u64,
    cache: hash,
    slice: u16,
    priceVersion: u32,
    paid: usage,
    free: usage,
    amount: u128,
    quality: Struct({ answered: u64, failed: u64, ttfbMicros: u64 }),
    vouchersRoot: hash,
  }),
  cacheSignature: Bytes(64),
});
const tree = Struct({ root: hash, entries: u32, min: entryKey, max: entryKey, sum });
const line = Struct({
  service: u64,
  gateway: hash,
  paid: usage,
  free: usage,
  amount: u128,
  entry: u32,
  proofUrl: Vector(u8),
  commitment: Struct({ gateway: hash, epoch: u64, customers: tree, caches: tree }),
  status: Variant({
    Pending: _void,
    Settling: u32,
    HeldBack: _void,
    Crediting: u32,
    Credited: _void,
    Refunding: u32,
    Void: _void,
  }),
});

/** The chain's part of a bill. */
export const Head = Struct({
  customer: hash,
  epoch: u64,
  from: u64,
  to: u64,
  lines: Vector(line),
  prices: Vector(Struct({ version: u32, prices: usage })),
  complete: bool,
});

/** A gateway's part of a line. */
export const Evidence = Struct({
  entry,
  entryProof: proof(entryNode),
  pages: Vector(Struct({ leaves: Vector(leaf), proof: proof(leafNode) })),
});

export const SLICES = 60;

/** What one line is refused for; the message begins with the reason's name. */
export class Refusal extends Error {}
export const refuse = (reason, why) => {
  throw new Refusal(`${reason}: ${why}`);
};

const hex = (bytes) => Buffer.from(bytes).toString("hex");
export const same = (one, two) => Buffer.compare(one, two) === 0;
const below = (one, two) => Buffer.compare(one, two) < 0;
export const keccak = (...parts) => keccak_256(Buffer.concat(parts.map((part) => Buffer.from(part))));
const big = (number, bytes) => Buffer.from(BigInt(number).toString(16).padStart(bytes * 2, "0"), "hex");
export const keyOf = (customer, service) => Buffer.concat([customer, big(service, 8)]);
export const sameUsage = (one, two) => one.every((units, index) => units === two[index]);
const sameSum = (one, two) =>
  one.leaves === two.leaves && one.amount === two.amount && sameUsage(one.paid, two.paid) && sameUsage(one.free, two.free);

const fits = (number, bits) => (number < 1n << bits ? number : refuse("Tree", "a sum overflows"));
const addUsage = (one, two) => one.map((units, index) => fits(units + two[index], 64n));
const addSum = (one, two) => ({
  leaves: fits(one.leaves + two.leaves, 64n),
  paid: addUsage(one.paid, two.paid),
  free: addUsage(one.free, two.free),
  amount: fits(one.amount + two.amount, 128n),
});

const merge = (domain, codec, left, right) => {
  if (below(left.max, left.min) || !below(left.max, right.min) || below(right.max, right.min)) refuse("Tree", "keys are out of order");
  return {
    min: left.min,
    max: right.max,
    sum: addSum(left.sum, right.sum),
    hash: keccak([domain], codec.enc(left), codec.enc(right)),
  };
};

// RFC 6962, section 2.1: the largest power of two below the number of nodes.
const split = (count) => {
  let half = 1;
  while (half * 2 < count) half *= 2;
  return half;
};

/** The root over `total` nodes of which `given` are those from `proof.start`, with the siblings of the proof around them. */
const climb = (domain, codec, total, given, { start, siblings }) => {
  const end = start + given.length;
  if (given.length === 0 || end > total) refuse("Tree", "the run ends beyond the tree");
  let next = 0;
  const over = (first, count) => {
    if (first >= end || first + count <= start) return siblings[next++] ?? refuse("Tree", "a sibling is missing");
    if (count === 1) return given[first - start];
    const half = split(count);
    const left = over(first, half);
    return merge(domain, codec, left, over(first + half, count - half));
  };
  const root = over(0, total);
  if (next !== siblings.length) refuse("Tree", "there are too many siblings");
  return root;
};

/** Throws unless the entry stands in the committed tree. */
export const verifyEntry = (tree, shown, proof) => {
  const node = { min: shown.key, max: shown.key, sum: shown.sum, hash: keccak([0x13], entry.enc(shown)) };
  const root = climb(0x14, entryNode, tree.entries, [node], proof);
  const sealed = keccak([0x15], u32.enc(tree.entries), entryNode.enc(root));
  if (!same(sealed, tree.root) || !sameSum(root.sum, tree.sum)) refuse("Entry", "another root");
  if (!same(root.min, tree.min) || !same(root.max, tree.max)) refuse("Entry", "another range");
};

/** Throws unless the leaves are those of the entry from `proof.start` on. */
export const verifyLeaves = (shown, leaves, proof) => {
  const nodes = leaves.map((one) => {
    const { customer, service, cache, slice, paid, free, amount } = one.body;
    if (!same(keyOf(customer, service), shown.key)) refuse("Leaves", `a leaf belongs into entry ${hex(keyOf(customer, service))}`);
    if (slice >= SLICES) refuse("Leaves", "a slice outside the epoch");
    const key = Buffer.concat([cache, big(slice, 2), Buffer.alloc(8)]);
    const digest = keccak([0x00], leaf.enc(one));
    return { min: key, max: key, sum: { leaves: 1n, paid, free, amount }, hash: keccak([0x11], digest) };
  });
  const root = climb(0x12, leafNode, Number(shown.sum.leaves), nodes, proof);
  if (!same(root.hash, shown.leavesRoot) || !sameSum(root.sum, shown.sum)) refuse("Leaves", "another root");
};

/** Throws unless two trees can have such a commitment. */
export const verifyCommitment = ({ customers, caches }) => {
  if (!sameSum(customers.sum, caches.sum)) refuse("Commitment", "the totals differ");
  for (const { entries, min, max, sum } of [customers, caches]) {
    if (entries === 0 || sum.leaves < BigInt(entries)) refuse("Commitment", "an impossible number of entries");
    if (entries === 1 ? !same(min, max) : !below(min, max)) refuse("Commitment", "an impossible range");
  }
  if (customers.sum.leaves >= 1n << 32n) refuse("Commitment", "too many leaves");
};
