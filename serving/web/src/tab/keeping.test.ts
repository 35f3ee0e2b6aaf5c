import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

const SCRIPT = readFileSync("tab/sw.js", "utf-8");

/** Caches of one origin by their names, as far as the service worker asks for them. */
function cachesOf(names: string[]) {
  const kept = new Set(names);
  const cache = { addAll: async () => undefined, match: async () => undefined };
  return {
    kept,
    open: async (name: string) => (kept.add(name), cache),
    keys: async () => [...kept],
    delete: async (name: string) => kept.delete(name),
  };
}

const manifest = async () => ({ json: async () => ({ files: {} }) });

/** Has the worker of an export, with this digest and in this folder, come and take over. */
async function takeOver(caches: ReturnType<typeof cachesOf>, digest: string, scope: string) {
  const heard: Record<string, (event: { waitUntil: (done: Promise<unknown>) => void }) => void> = {};
  const self = {
    registration: { scope },
    addEventListener: (kind: string, hear: (typeof heard)[string]) => void (heard[kind] = hear),
    skipWaiting: async () => undefined,
    clients: { claim: async () => undefined },
  };
  const script = SCRIPT.replace("EXPORT", digest);
  new Function("self", "caches", "fetch", "Request", script)(self, caches, manifest, String);
  const happens = (kind: string) => new Promise<unknown>((done) => heard[kind]?.({ waitUntil: done }));
  await happens("install");
  await happens("activate");
}

test("a newer export takes the place of the older one in its folder, and of none beside it", async () => {
  const caches = cachesOf(["somebody-elses"]);
  await takeOver(caches, "old", "https://shop.example/a/");
  await takeOver(caches, "other", "https://shop.example/b/");
  await takeOver(caches, "new", "https://shop.example/a/");
  expect([...caches.kept].toSorted()).toEqual([
    "lookbook-new https://shop.example/a/",
    "lookbook-other https://shop.example/b/",
    "somebody-elses",
  ]);
});
