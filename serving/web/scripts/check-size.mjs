// Fails the build when what a first visit loads grows past the budget.
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_BYTES = 200_000;
const dist = new URL("../dist/", import.meta.url);

const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
const sizes = files.map((file) => gzipSync(readFileSync(`${file.parentPath}/${file.name}`)).length);
const total = sizes.reduce((sum, size) => sum + size, 0);
console.log(`Page: ${total} bytes gzipped in ${files.length} files; at most ${BUDGET_BYTES} are allowed.`);
if (total > BUDGET_BYTES) process.exit(1);
