import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// `npm run dev` talks to a merger started elsewhere; the built page always talks to the one that serves it.
const merger = process.env.LOOKBOOK_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  // A data: URL would be one more source for the Content-Security-Policy to allow; every asset is a file.
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false }, target: "es2022" },
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
});
