// Who owns what, computed a second time from the nodes of vectors/routing.json.
//
//   node routing.mjs                      compares with the vector, and finds that a changed node changes owners
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { blake3 } from "@noble/hashes/blake3.js";

const RINGS = 32;
const MOST_OF_MEDIAN = 16n;
const LEAST_SCORE = 10_000;
const MOST_SCORE = 1_500_000;
const [PARTS, SLACK, SLACK_OF_SECOND] = [73n, 10n, 37n];

const bytes = (text) => Uint8Array.from(Buffer.from(text.slice(2), "hex"));
const text = (string) => new TextEncoder().encode(string);
const u64 = (number) => new Uint8Array(new BigUint64Array([BigInt(number)]).buffer);
const least = (values) => values.reduce((a, b) => (b < a ? b : a));
const ceil = (a, b) => (a + b - 1n) / b;

/** A point on each ring. */
const points = (...parts) => {
  const octets = blake3(Uint8Array.from(parts.flatMap((part) => [...part])), { dkLen: RINGS * 8 });
  const view = new DataView(octets.buffer, octets.byteOffset);
  return Array.from({ length: RINGS }, (_, ring) => view.getBigUint64(ring * 8, true));
};

const pointsOf = {
  key: (service, key) => points(text("selvedge/route/v2"), [0], u64(service), text(key)),
  service: (service) => points(text("selvedge/route/v2"), [1], u64(service)),
  content: (root) => points(text("selvedge/route/v2"), [2], bytes(root)),
};

/** The /24 or /48 of an address; of a name it is not known. */
const network = (endpoint) => {
  const v4 = /^(\d+\.\d+\.\d+)\.\d+:\d+$/.exec(endpoint);
  if (v4) return v4[1];
  const v6 = /^\[([0-9a-f:]+)\]:\d+$/.exec(endpoint);
  if (!v6) return undefined;
  const [head, tail = ""] = v6[1].split("::");
  const groups = (part) => part.split(":").filter(Boolean);
  const zeros = 8 - groups(head).length - groups(tail).length;
  return [...groups(head), ...Array(zeros).fill("0"), ...groups(tail)].slice(0, 3).map((group) => parseInt(group, 16)).join(":");
};

/** The caches among nodes, with their weights and points, sorted by device. */
const caches = (nodes) => {
  const all = nodes
    .filter((node) => node.is_cache)
    .map((node) => {
      const score = Math.min(Math.max(node.quality, LEAST_SCORE), MOST_SCORE);
      const weight = BigInt(Math.max(node.capacity, 1)) * BigInt(score);
      return { ...node, weight, network: network(node.endpoint), points: points(text("selvedge/node/v1"), bytes(node.device)) };
    })
    .sort((a, b) => (a.device < b.device ? -1 : 1));
  const weights = all.map(({ weight }) => weight).sort((a, b) => (a < b ? -1 : 1));
  const most = weights[Math.floor((weights.length - 1) / 2)] * MOST_OF_MEDIAN;
  for (const cache of all) if (cache.weight > most) cache.weight = most;
  return all;
};

const byPlace = (target) => {
  const distance = ({ points }) => least(points.map((point, ring) => BigInt.asUintN(64, point - target[ring])));
  return (a, b) => {
    const [left, right] = [distance(a) * b.weight, distance(b) * a.weight];
    return left < right ? -1 : left > right ? 1 : a.device < b.device ? -1 : 1;
  };
};

const rank = (all, target) => {
  const order = byPlace(target);
  return [...all].sort((a, b) => a.draining - b.draining || order(a, b)).map(({ device }) => device);
};

const owners = (all, target, factor) => {
  const serving = all.filter((cache) => !cache.draining);
  const sum = (some) => some.reduce((total, { weight }) => total + weight, 0n);
  const whole = sum(serving);
  const near = [...all].sort(byPlace(target));
  const chosen = [];
  while (chosen.length < factor && chosen.length < near.length) {
    const copies = BigInt(chosen.length + 1);
    const had = (name, cache) => chosen.filter((other) => other[name] === cache[name]).length;
    const turn = (cache) => {
      const due = PARTS * copies * sum(serving.filter(({ region }) => region === cache.region));
      const own = BigInt(had("region", cache));
      if (own < (due + SLACK * whole) / (PARTS * whole)) return 0;
      const beyond = due - (copies === 2n ? SLACK_OF_SECOND : SLACK) * whole;
      const most = beyond > PARTS * whole ? ceil(beyond, PARTS * whole) : 1n;
      return own + 1n > most ? Number(2n + own - most) : 1;
    };
    const standing = (cache) => [
      Number(cache.draining),
      had("operator", cache),
      turn(cache),
      cache.network === undefined ? 0 : had("network", cache),
    ];
    let best;
    for (const cache of near) {
      if (chosen.includes(cache)) continue;
      const own = standing(cache);
      const differs = best ? own.findIndex((value, index) => value !== best.standing[index]) : 0;
      if (!best || (differs >= 0 && own[differs] < best.standing[differs])) best = { cache, standing: own };
    }
    chosen.push(best.cache);
  }
  return chosen.map(({ device }) => device);
};

const vector = JSON.parse(readFileSync(new URL("../../vectors/routing.json", import.meta.url), "utf8"));
const all = caches(vector.nodes);
for (const { root, owners: expected } of vector.content) {
  for (let factor = 1; factor <= expected.length; factor += 1) {
    assert.deepEqual(owners(all, pointsOf.content(root), factor), expected.slice(0, factor), root);
  }
}
for (const { service, key, order } of vector.keys) assert.deepEqual(rank(all, pointsOf.key(service, key)), order, key);
for (const { service, order } of vector.services) assert.deepEqual(rank(all, pointsOf.service(service)), order);

// A node that changes is seen, or the comparison would say nothing.
const first = vector.content[0];
const without = caches(vector.nodes.filter(({ device }) => device !== first.owners[0]));
assert.notDeepEqual(owners(without, pointsOf.content(first.root), 16), first.owners);
const heavier = caches(vector.nodes.map((node) => ({ ...node, capacity: node.device === first.owners[15] ? 90 : node.capacity })));
assert.ok(vector.content.some(({ root, owners: expected }) => owners(heavier, pointsOf.content(root), 1)[0] !== expected[0]));

console.log(JSON.stringify({ content: vector.content.length, keys: vector.keys.length, services: vector.services.length }));
