// The bill of a customer, computed a second time: from the golden vector, or from a folder that `selvedge bill --folder` has filled.
//
//   node bill.mjs                      compares with vectors/bill.json, and finds every change in it
//   node bill.mjs FOLDER [BILL.json]   prints totals; with what `selvedge --json bill` printed, compares with it
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Evidence, Head, Refusal, keccak, keyOf, refuse, same, sameUsage, verifyCommitment, verifyEntry, verifyLeaves } from "./usage.mjs";

const CLASSES = ["requests", "egress bytes", "origin bytes", "storage byte-hours", "compute fuel", "DNS queries"];
const DAY = 86_400_000n;

// Not a Buffer, which may be a part of a larger ArrayBuffer.
const bytes = (text) => Uint8Array.from(Buffer.from(text.slice(2), "hex"));
const hex = (octets) => `0x${Buffer.from(octets).toString("hex")}`;
const json = (path) => JSON.parse(readFileSync(path, "utf8"));

const charge = (usage, prices) => usage.reduce((sum, units, index) => sum + units * prices[index], 0n) >> 32n;

/** The price list of a line that the evidence is behind; throws a refusal otherwise. */
const check = (customer, head, line, shown) => {
  if (!shown) refuse("NotShown", "nobody showed it");
  const { commitment } = line;
  if (!same(commitment.gateway, line.gateway) || commitment.epoch !== head.epoch) refuse("ForeignCommitment", "of another");
  verifyCommitment(commitment);
  const { entry, entryProof, pages } = shown;
  if (!same(entry.key, keyOf(customer, line.service))) refuse("ForeignEntry", "of somebody else");
  if (entryProof.start !== line.entry) refuse("OtherEntry", "at another place");
  as("Entry", () => verifyEntry(commitment.customers, entry, entryProof));
  const { amount, paid, free } = entry.sum;
  if (line.amount !== amount || !sameUsage(line.paid, paid) || !sameUsage(line.free, free)) refuse("OtherSums", "charged");
  let known = 0;
  for (const { leaves, proof } of pages) {
    if (proof.start !== known) refuse("LeavesMissing", "in between");
    as("Leaves", () => verifyLeaves(entry, leaves, proof));
    known += leaves.length;
  }
  if (BigInt(known) !== entry.sum.leaves) refuse("LeavesMissing", "at the end");
  const leaves = pages.flatMap((page) => page.leaves).map((leaf) => leaf.body);
  const list = head.prices.find(({ version }) => version === leaves[0].priceVersion) ?? refuse("UnknownPrices", "no such list");
  for (const body of leaves) {
    if (!same(body.gateway, line.gateway) || body.epoch !== head.epoch) refuse("ForeignLeaf", "of another");
    if (body.priceVersion !== list.version) refuse("MixedPrices", "two lists");
    if (charge(body.paid, list.prices) !== body.amount) refuse("WrongCharge", "not the list's");
  }
  return { list, leaves: known };
};

const as = (reason, verify) => {
  try {
    verify();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(reason, error.message);
  }
};

const finality = ({ entry, status: { type, value } }) => {
  if (type === "Refunding") return entry < value ? "Refunded" : "Void";
  return { Pending: "Open", Settling: "Open", HeldBack: "Disputable", Crediting: "Final", Credited: "Final", Void: "Refunded" }[type];
};

/** The bill, in the shape of the vector; throws on the first line that is refused. */
const bill = (customer, heads, evidence) => {
  const used = new Map();
  const refunded = new Map();
  const lines = [];
  const totals = { charged: 0n, refunded: 0n, due: 0n, settled: 0n, unverified: 0n, free: 0n };
  let digest = new Uint8Array(32);
  for (const raw of heads) {
    digest = keccak(digest, raw);
    const head = Head.dec(raw);
    assert(same(head.customer, customer));
    for (const line of head.lines) {
      const { list, leaves } = check(customer, head, line, evidence(head, line));
      const end = finality(line);
      const day = head.from / DAY;
      const key = [line.service, day, list.version].join();
      const use = used.get(key) ?? { service: line.service, day, list, paid: Array(6).fill(0n), free: Array(6).fill(0n), amount: 0n };
      use.paid = use.paid.map((units, index) => units + line.paid[index]);
      use.free = use.free.map((units, index) => units + line.free[index]);
      use.amount += line.amount;
      used.set(key, use);
      totals.charged += line.amount;
      totals[end === "Refunded" ? "refunded" : "due"] += line.amount;
      if (end === "Final") totals.settled += line.amount;
      if (end === "Refunded") {
        const key = [line.service, day].join();
        const before = refunded.get(key)?.amount ?? 0n;
        refunded.set(key, { service: line.service, day, amount: before + line.amount });
      }
      lines.push({
        epoch: Number(head.epoch),
        service: `${line.service}`,
        gateway: hex(line.gateway),
        amount: `${line.amount}`,
        finality: end,
        leaves,
        price_version: list.version,
      });
    }
  }
  const items = [];
  for (const { service, day, list, paid, free, amount } of used.values()) {
    const at = { service: `${service}`, day: Number(day) };
    const worth = (units, index) => (units * list.prices[index]) >> 32n;
    const about = (units, index) => ({ ...at, units: `${units}`, price_version: list.version, price: `${list.prices[index]}` });
    const rounding = amount - paid.reduce((sum, units, index) => sum + worth(units, index), 0n);
    paid.forEach((units, index) => {
      if (units) items.push({ ...about(units, index), charge: CLASSES[index], amount: `${worth(units, index)}` });
    });
    if (rounding) items.push({ ...at, rounding: `${rounding}` });
    free.forEach((units, index) => {
      if (units) items.push({ ...about(units, index), free: CLASSES[index], credit: `${worth(units, index)}` });
      totals.free += worth(units, index);
    });
  }
  for (const { service, day, amount } of refunded.values()) items.push({ service: `${service}`, day: Number(day), refund: `${amount}` });
  // Stable: within a service and day items keep the order above.
  items.sort((one, two) => Number(BigInt(one.service) - BigInt(two.service)) || one.day - two.day);
  return {
    heads: hex(digest),
    items,
    lines,
    totals: Object.fromEntries(Object.entries(totals).map(([name, amount]) => [name, `${amount}`])),
  };
};

const vector = () => {
  const { customer, heads, evidence, bill: expected, changes } = json(new URL("../../vectors/bill.json", import.meta.url));
  const key = (epoch, service, gateway) => [epoch, service, gateway].join();
  const shown = new Map(evidence.map((one) => [key(one.epoch, one.service, one.gateway), Evidence.dec(bytes(one.evidence))]));
  const find = (head, line) => shown.get(key(head.epoch, line.service, hex(line.gateway)));
  const made = bill(bytes(customer), heads.map(bytes), find);
  const { incomplete, ...rest } = expected;
  assert.deepEqual(made, rest);
  assert.deepEqual(heads.map((head) => Head.dec(bytes(head))).filter(({ complete }) => !complete).map(({ epoch }) => Number(epoch)), incomplete);
  for (const change of changes) {
    const head = Head.dec(bytes(change.head));
    const evidence = change.evidence && Evidence.dec(bytes(change.evidence));
    const refused = ({ message }) => message.startsWith(`${change.reason}:`);
    assert.throws(() => check(bytes(customer), head, head.lines[0], evidence), refused, change.reason);
  }
  return { lines: made.lines.length, items: made.items.length, changes: changes.length };
};

const folder = (path, printed) => {
  const { customer } = json(join(path, "folder.json"));
  const epochs = readdirSync(join(path, "heads")).map((name) => Number(name.split(".")[0])).sort((one, two) => one - two);
  const heads = epochs.map((epoch) => bytes(json(join(path, "heads", `${epoch}.json`)).head));
  const made = bill(bytes(customer), heads, ({ epoch }, { service, gateway }) => {
    const file = join(path, "lines", `${epoch}-${service}-${hex(gateway).slice(2)}.json`);
    return existsSync(file) ? Evidence.dec(bytes(json(file).evidence)) : undefined;
  });
  if (printed) {
    const { totals, heads_digest: digest } = json(printed);
    assert.deepEqual({ totals, heads: digest }, { totals: made.totals, heads: made.heads });
  }
  return { lines: made.lines.length, totals: made.totals };
};

const [path, printed] = process.argv.slice(2);
console.log(JSON.stringify(path ? folder(path, printed) : vector()));
