// A merger of a suite's own, in front of the model server that all suites share.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const POLL_MS = 100;
const PATIENCE_MS = 60_000;

const PICTURES = process.env.LOOKBOOK_TEST_PICTURES;

/** File name → labels of its path, from the top. */
export const TRUTH = JSON.parse(readFileSync(join(PICTURES, "truth.json"), "utf8"));

export const pathTo = (name) => join(PICTURES, name);

/** A merger that is ready; `settings` by the names of their variables. */
export async function startMerger({ port, settings = {} } = {}) {
  const httpPort = port ?? (await freePort());
  const target = process.env.LOOKBOOK_TEST_MODELS;
  const child = spawn(process.env.LOOKBOOK_PYTHON, ["-m", "serving"], {
    cwd: ROOT,
    env: {
      ...process.env,
      LOOKBOOK_HTTP_PORT: String(httpPort),
      LOOKBOOK_GRPC_PORT: "0",
      LOOKBOOK_ADMIN_PORT: "0",
      LOOKBOOK_ARTICLE_TYPE_TARGET: target,
      LOOKBOOK_CATEGORY_TARGET: target,
      LOOKBOOK_SHUTDOWN_DELAY_MS: "0",
      ...settings,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (data) => (said += data));
  const url = `http://127.0.0.1:${httpPort}`;
  const until = Date.now() + PATIENCE_MS;
  while (!(await isReady(url))) {
    if (child.exitCode !== null) throw new Error(`The merger ended with code ${child.exitCode}:\n${said}`);
    if (Date.now() > until) {
      child.kill("SIGKILL");
      throw new Error(`No release was ready on ${target} within ${PATIENCE_MS} ms.`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return {
    url,
    port: httpPort,
    async stop() {
      if (child.exitCode !== null) throw new Error(`The merger had ended by itself:\n${said}`);
      child.kill("SIGTERM");
      await new Promise((resolve) => child.once("exit", resolve));
    },
  };
}

const isReady = (url) =>
  fetch(`${url}/readyz`).then(
    (response) => response.ok,
    () => false,
  );

/** A port that is free now. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
