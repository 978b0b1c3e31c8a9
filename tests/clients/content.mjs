// Directories of content, made and read a second time: every blob of vectors/content.json from its files, and every refusal.
//
//   node content.mjs
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { blake3 } from "@noble/hashes/blake3.js";

const MAX_BODY = 64n * 1024n ** 3n;
const MAX_DIRECTORY = 16 * 1024 ** 2;
const TOKENS = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+\/[A-Za-z0-9!#$%&'*+.^_`|~-]+ *(;[ -~]*[!-~])?$/;

const bytes = (text) => Uint8Array.from(Buffer.from(text.slice(2), "hex"));
const hex = (octets) => `0x${Buffer.from(octets).toString("hex")}`;
const utf8 = (text) => new TextEncoder().encode(text);
const byOctets = ([a], [b]) => Buffer.compare(utf8(a), utf8(b));

const compact = (value) => {
  if (value < 1 << 6) return [value << 2];
  if (value < 1 << 14) return [((value << 2) | 1) & 255, value >> 6];
  return [0, 8, 16, 24].map((shift) => (((value << 2) | 2) >>> shift) & 255);
};
const text = (octets) => [...compact(octets.length), ...octets];
const entry = ([name, { root, length, kind, type }]) => {
  const size = [...Array(8).keys()].map((octet) => Number((length >> BigInt(8 * octet)) & 255n));
  return [...text(utf8(name)), ...root, ...size, kind, ...text(utf8(type))];
};

/** The blobs of a tree, each after those that it names. */
const blobs = (files) => {
  const top = {};
  for (const { path, text: content, media_type: type } of files) {
    const names = path.split("/");
    const last = names.pop();
    let folder = top;
    for (const name of names) folder = folder[name] ??= {};
    folder[last] = { file: utf8(content), type };
  }
  const made = [];
  const build = (folder) => {
    const entries = Object.entries(folder)
      .sort(byOctets)
      .map(([name, node]) => {
        if (!node.file) return [name, { ...build(node), type: "" }];
        return [name, { root: blake3(node.file), length: BigInt(node.file.length), kind: 0, type: node.type }];
      });
    const blob = Uint8Array.from([...compact(entries.length), ...entries.flatMap(entry)]);
    const root = blake3(blob);
    if (!made.some((other) => hex(other.root) === hex(root))) made.push({ root, blob });
    return { root, length: BigInt(blob.length), kind: 1 };
  };
  return { ...build(top), made };
};

/** Throws when the bytes are no directory. */
const read = (blob) => {
  assert(blob.length <= MAX_DIRECTORY, "too long");
  let at = 0;
  const take = (count) => {
    assert(at + count <= blob.length, "ends early");
    return blob.subarray(at, (at += count));
  };
  const number = () => {
    const start = at;
    const [first] = take(1);
    const size = [1, 2, 4][first & 3];
    assert(size, "longer than anything here");
    const rest = take(size - 1);
    const value = rest.reduce((sum, octet, index) => sum + octet * 2 ** (8 * index + 8), first);
    const result = Math.floor(value / 4);
    assert.deepEqual(compact(result), [...blob.subarray(start, at)], "a number in too many bytes");
    return result;
  };
  const string = () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(take(number()));
  let before;
  const count = number();
  assert(count <= 65_536, "too many");
  for (let index = 0; index < count; index += 1) {
    const name = string();
    const octets = utf8(name);
    assert(octets.length >= 1 && octets.length <= 255 && !/[/\p{Cc}]/u.test(name) && ![".", ".."].includes(name), "no name");
    assert(!before || Buffer.compare(before, octets) < 0, "not in order");
    before = octets;
    take(32);
    const length = Buffer.from(take(8)).readBigUInt64LE();
    const [kind] = take(1);
    const type = string();
    assert(kind === 0 ? length <= MAX_BODY && type.length <= 127 && TOKENS.test(type) : kind === 1 && type === "", "no such thing");
  }
  assert(at === blob.length, "goes on after its end");
};

const { trees, refused } = JSON.parse(readFileSync(new URL("../../vectors/content.json", import.meta.url), "utf8"));
for (const { name, files, root, directories, bytes: total } of trees) {
  const made = blobs(files);
  assert.equal(hex(made.root), root.root, name);
  assert.equal(made.length, BigInt(root.length), name);
  assert.deepEqual(made.made.map(({ blob }) => hex(blob)), directories.map(({ blob }) => blob), name);
  const distinct = new Map(files.map((file) => [file.text, utf8(file.text).length]));
  const sum = [...distinct.values(), ...made.made.map(({ blob }) => blob.length)].reduce((all, one) => all + one, 0);
  assert.equal(BigInt(sum), BigInt(total), name);
  for (const { blob } of directories) read(bytes(blob));
}
for (const { name, blob } of refused) assert.throws(() => read(bytes(blob)), Error, name);
console.log(JSON.stringify({ trees: trees.length, refused: refused.length }));
