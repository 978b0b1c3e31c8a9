// Loads a page twice in a headless Chromium, and writes what the browser saw as JSON.
//
//   node outside_browser.mjs URL SHA256-OF-THE-PUBLIC-KEY
//
// The browser is spoken to over two pipes, in its own DevTools protocol.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [url, pin] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), "selvedge-browser-"));
const flags = [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", `--user-data-dir=${profile}`,
  `--ignore-certificate-errors-spki-list=${pin}`, "--remote-debugging-pipe", "about:blank",
];
const browser = spawn("chromium", flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
const [, , , toBrowser, fromBrowser] = browser.stdio;

let number = 0;
const waiting = new Map();
const listeners = new Set();
let unread = "";
fromBrowser.on("data", (octets) => {
  const parts = (unread + octets).split("\0");
  unread = parts.pop();
  for (const part of parts) {
    const said = JSON.parse(part);
    if (said.id) {
      const { resolve, reject } = waiting.get(said.id);
      waiting.delete(said.id);
      if (said.error) reject(new Error(said.error.message));
      else resolve(said.result);
    } else {
      for (const listen of listeners) listen(said);
    }
  }
});
const say = (method, params = {}, sessionId) =>
  new Promise((resolve, reject) => {
    waiting.set(++number, { resolve, reject });
    toBrowser.write(JSON.stringify({ id: number, method, params, sessionId }) + "\0");
  });

async function load(sessionId) {
  const answers = {};
  const remarks = [];
  const targets = new Map();
  let loaded;
  const isLoaded = new Promise((resolve) => { loaded = resolve; });
  const listen = ({ method, params }) => {
    if (method === "Network.responseReceived") {
      const { response } = params;
      const path = new URL(response.url).pathname;
      targets.set(params.requestId, path);
      answers[path] = { ...answers[path], status: response.status, protocol: response.protocol };
      if (response.fromDiskCache || response.fromPrefetchCache) answers[path].cached = true;
    } else if (method === "Network.requestServedFromCache") {
      targets.set("cached " + params.requestId, true);
    } else if (method === "Network.requestWillBeSent") {
      targets.set("sent " + params.requestId, new URL(params.request.url).pathname);
    } else if (method === "Network.loadingFailed") {
      remarks.push(`${targets.get("sent " + params.requestId)}: ${params.errorText}`);
    } else if (method === "Log.entryAdded" && ["warning", "error"].includes(params.entry.level)) {
      remarks.push(params.entry.text);
    } else if (method === "Runtime.exceptionThrown") {
      remarks.push(params.exceptionDetails.text);
    } else if (method === "Runtime.consoleAPICalled" && ["warning", "error"].includes(params.type)) {
      remarks.push(JSON.stringify(params.args));
    } else if (method === "Page.loadEventFired") {
      loaded();
    }
  };
  listeners.add(listen);
  await say("Page.navigate", { url }, sessionId);
  await isLoaded;
  const evaluate = async (expression) => {
    const { result } = await say("Runtime.evaluate", { expression, awaitPromise: true }, sessionId);
    return result.value;
  };
  const colour = await evaluate("getComputedStyle(document.querySelector('.note')).color");
  const title = await evaluate(`new Promise((resolve) => {
    const look = () => document.title === "loading" ? setTimeout(look, 20) : resolve(document.title);
    setTimeout(() => resolve(document.title), 20000);
    look();
  })`);
  listeners.delete(listen);
  for (const name of targets.keys()) {
    if (!name.startsWith("cached ")) continue;
    const path = targets.get("sent " + name.slice("cached ".length));
    answers[path] = { ...answers[path], cached: true };
  }
  return { answers, remarks, colour, title };
}

try {
  const { targetId } = await say("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await say("Target.attachToTarget", { targetId, flatten: true });
  for (const room of ["Network", "Page", "Log", "Runtime"]) await say(`${room}.enable`, {}, sessionId);
  const first = await load(sessionId);
  const second = await load(sessionId);
  console.log(JSON.stringify({ first, second }));
  await say("Browser.close").catch(() => {});
} finally {
  const ended = new Promise((resolve) => { browser.once("exit", resolve); });
  if (browser.exitCode === null) browser.kill();
  await ended;
  rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  process.exit();
}
