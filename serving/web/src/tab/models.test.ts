import { loadAndCompile } from "@litertjs/core";
import { vi } from "vitest";

import { loadModels } from "./models";

const run = vi.hoisted(() => vi.fn<(inputs: Record<string, unknown>) => Promise<unknown>>());
vi.mock("@litertjs/core", () => ({
  Tensor: class {
    delete() {}
  },
  supportsFeature: async () => true,
  loadLiteRt: async () => undefined,
  loadAndCompile: vi.fn<() => Promise<unknown>>(async () => ({ run })),
}));

const output = (value: number) => ({ toTypedArray: () => Float32Array.of(value), delete: () => undefined });

/** An export whose models lie in these files, as far as it is loaded. */
function serve(files: Record<string, string>) {
  const input = { name: "image", shape: [1, 1, 1, 3] };
  const models = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, { file, input }]));
  const answer = async (url: URL | string) =>
    String(url).endsWith("manifest.json") ? Response.json({ models }) : new Response(new Uint8Array(4));
  vi.stubGlobal("fetch", vi.fn<typeof answer>(answer));
}

const pixels = { article_type: new Float32Array(3), category: new Float32Array(3) };

describe("the models of an export", () => {
  beforeEach(() => {
    vi.mocked(loadAndCompile).mockClear();
    run.mockReset();
    run.mockImplementation(async () => ({ article_type: output(1), sub_category: output(2) }));
  });

  it("are loaded once and asked once where both lie in one file", async () => {
    serve({ article_type: "models.packed", category: "models.packed" });
    const { sizes, scores } = await loadModels(new URL("http://tab/"));
    expect(loadAndCompile).toHaveBeenCalledTimes(1);
    expect(Object.keys(sizes)).toEqual(["article_type", "category"]);
    expect(await scores(pixels)).toEqual({
      article_type: Float32Array.of(1),
      sub_category: Float32Array.of(2),
    });
    expect(run).toHaveBeenCalledTimes(1);
    expect(await scores({ category: pixels.category })).toMatchObject({ sub_category: Float32Array.of(2) });
  });

  it("are each asked where each has its own file, or the one that is named", async () => {
    serve({ article_type: "article_type.packed", category: "category.packed" });
    const { scores } = await loadModels(new URL("http://tab/"));
    expect(loadAndCompile).toHaveBeenCalledTimes(2);
    run.mockImplementationOnce(async () => ({ article_type: output(1) }));
    run.mockImplementationOnce(async () => ({ sub_category: output(2) }));
    expect(Object.keys(await scores(pixels))).toEqual(["article_type", "sub_category"]);
    await scores({ category: pixels.category });
    expect(run).toHaveBeenCalledTimes(3);
  });
});
