import react from "@vitejs/plugin-react";
import { type HtmlTagDescriptor, type Plugin } from "vite";
import { defineConfig } from "vitest/config";

// `npm run dev` talks to a merger started elsewhere; the built page always talks to the one that serves it.
const merger = process.env.LOOKBOOK_URL ?? "http://127.0.0.1:8080";

// A page without a server has nobody to send this as a header. It is what keeps the promise that nothing leaves the machine.
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self'; " +
  "img-src 'self' blob: data:; manifest-src 'self'; form-action 'none'; base-uri 'none'";

const HEAD: HtmlTagDescriptor[] = [
  {
    tag: "meta",
    attrs: { "http-equiv": "Content-Security-Policy", content: POLICY },
    injectTo: "head-prepend",
  },
  { tag: "link", attrs: { rel: "manifest", href: "./app.webmanifest" }, injectTo: "head" },
];

const withoutServer: Plugin = { name: "lookbook-tab", transformIndexHtml: () => HEAD };

// Mode `tab`: the page that needs no server, for `lookbook export --to browser`. It may lie in any folder of any host.
export default defineConfig(({ mode }) => ({
  plugins: [react(), ...(mode === "tab" ? [withoutServer] : [])],
  base: mode === "tab" ? "./" : "/",
  // A data: URL would be one more source for the Content-Security-Policy to allow; every asset is a file.
  build: {
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    outDir: mode === "tab" ? "dist-tab" : "dist",
  },
  worker: { format: "iife" as const }, // LiteRT loads its other half by importScripts, which modules have not
  server: { proxy: { "/v1": merger, "/readyz": merger } },
  test: {
    environment: "jsdom",
    globals: true,
    setupFiles: ["src/test/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    unstubGlobals: true,
    testTimeout: 20_000, // a busy machine is no failure
  },
}));
