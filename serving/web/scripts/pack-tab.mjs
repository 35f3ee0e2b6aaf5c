// Puts LiteRT's own files beside the page that needs no server: its WebAssembly packed, a third as large.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";

const litert = new URL("../wasm/", `file://${createRequire(import.meta.url).resolve("@litertjs/core")}`);
const dist = new URL("../dist-tab/", import.meta.url);

mkdirSync(new URL("litert/", dist), { recursive: true });
for (const name of ["litert_wasm_internal", "litert_wasm_compat_internal"]) {
  copyFileSync(new URL(`${name}.js`, litert), new URL(`litert/${name}.js`, dist));
  const packed = gzipSync(readFileSync(new URL(`${name}.wasm`, litert)), { level: 9 });
  writeFileSync(new URL(`litert/${name}.wasm.gz`, dist), packed);
  console.log(`LiteRT: ${name}.wasm.gz, ${packed.length} bytes.`);
}
for (const name of ["app.webmanifest", "sw.js"]) {
  copyFileSync(new URL(`../tab/${name}`, import.meta.url), new URL(name, dist));
}
