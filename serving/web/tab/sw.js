// Keeps the page, LiteRT and the models, all of one export, for when there is no network. `lookbook export` puts the
// export's own digest here, so that a newer export makes a newer worker, which fetches everything anew.
const CACHE = `lookbook-EXPORT ${self.registration.scope}`;
const MANIFEST = "manifest.json";

self.addEventListener("install", (event) => event.waitUntil(keepAll().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(dropOthers().then(() => self.clients.claim())));
self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET") event.respondWith(answer(event.request));
});

async function keepAll() {
  const { files } = await (await fetch(MANIFEST, { cache: "no-cache" })).json();
  const cache = await caches.open(CACHE);
  const names = Object.keys(files).filter((name) => name !== "sw.js" && !/compat/.test(name));
  await cache.addAll(["./", MANIFEST, ...names].map((name) => new Request(name, { cache: "no-cache" })));
}

// Of this folder alone: another export on the same server has its own.
const isOlder = (name) =>
  name.startsWith("lookbook-") && name.endsWith(` ${self.registration.scope}`) && name !== CACHE;

async function dropOthers() {
  const names = (await caches.keys()).filter(isOlder);
  await Promise.all(names.map((name) => caches.delete(name)));
}

async function answer(request) {
  const kept = await (await caches.open(CACHE)).match(request);
  return kept ?? fetch(request);
}
