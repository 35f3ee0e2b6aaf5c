// The models' own thread: a picture in, scores out, so that the page never waits for them.
import type { Question, Reply, Scores } from "./contract";
import { Refused, decoded } from "./decode";
import { gridOver, hidden } from "./explain";
import { type Models, loadModels } from "./models";
import { type Rows, resized } from "./resize";

/** The page's folder; this file lies in one below. */
const BASE = new URL("..", self.location.href);

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's has none
const say = (reply: Reply) => self.postMessage(reply);

const loading = loadModels(BASE);
loading.then(
  ({ manifest }) => say({ kind: "ready", manifest }),
  (error: unknown) => say({ kind: "broken", reason: String(error) }),
);

// One after the other: each takes the whole processor as it is.
let last: Promise<void> = Promise.resolve();
self.addEventListener("message", ({ data }: MessageEvent<Question>) => {
  last = last.then(async () => answer(await loading, data)).catch((error: unknown) => refuse(data.id, error));
});

async function answer(models: Models, { id, picture, explain }: Question): Promise<void> {
  const rows = await decoded(picture);
  let pixels: Record<string, Float32Array>;
  try {
    pixels = seenBy(models, rows);
  } finally {
    rows.close();
  }
  const scores: Scores[] = [await models.scores(pixels)];
  const grid = { rows: 0, columns: 0 };
  if (explain) {
    const { model } = models.manifest.heads[explain.head]!;
    const size = models.sizes[model]!;
    Object.assign(grid, gridOver(size, explain.cells));
    const masked = Array.from(hidden(pixels[model]!, size, grid), (one) => models.scores({ [model]: one }));
    scores.push(...(await Promise.all(masked)));
  }
  say({ kind: "scores", id, seen: { width: rows.width, height: rows.height }, scores, ...grid });
}

/** The picture as each model sees it; models that see the same size share it. */
function seenBy({ sizes }: Models, rows: Rows): Record<string, Float32Array> {
  const known = new Map<string, Float32Array>();
  return Object.fromEntries(
    Object.entries(sizes).map(([model, { height, width }]) => {
      const pixels = known.get(`${height}×${width}`) ?? resized(rows, height, width);
      known.set(`${height}×${width}`, pixels);
      return [model, pixels];
    }),
  );
}

function refuse(id: number, error: unknown): void {
  if (error instanceof Refused) {
    say({ kind: "refused", id, code: error.code, title: error.title, detail: error.message });
  } else {
    say({ kind: "refused", id, code: "internal", title: "The picture has no answer", detail: String(error) });
  }
}
