// The models of an export, in LiteRT.js: each in a file, or both in one.
import { type CompiledModel, Tensor, loadAndCompile, loadLiteRt, supportsFeature } from "@litertjs/core";

import type { Manifest, Scores, Size } from "./contract";

/** Folder of the export with LiteRT's own files, and the name of the half that runs here. */
const LITERT = "litert/";

/** As pipeline/exporting/packing.py writes models. */
const PLANES = 4;

export interface Models {
  manifest: Manifest;
  /** What each model sees. */
  sizes: Record<string, Size>;
  /** Scores of all heads for pixels at each model's size, or those of one model and what its file gives beside. */
  scores(pixels: Record<string, Float32Array>): Promise<Scores>;
}

/** Loads the export at `base`: manifest, LiteRT and models. */
export async function loadModels(base: URL): Promise<Models> {
  const manifest = (await (await get(new URL("manifest.json", base))).json()) as Manifest;
  await loadRuntime(base);
  const names = Object.keys(manifest.models);
  const files = [...new Set(names.map((name) => manifest.models[name]!.file))];
  const compiled = await Promise.all(files.map((file) => load(new URL(file, base))));
  const sizes = Object.fromEntries(names.map((name) => [name, sizeOf(manifest, name)]));
  const scores = async (pixels: Record<string, Float32Array>) => {
    const runs = files.map((file, at) => {
      const name = Object.keys(pixels).find((one) => manifest.models[one]!.file === file);
      return name ? run(compiled[at]!, manifest.models[name]!.input, pixels[name]!) : {};
    });
    return Object.assign({}, ...(await Promise.all(runs))) as Scores;
  };
  return { manifest, sizes, scores };
}

const load = async (file: URL): Promise<CompiledModel> =>
  loadAndCompile(joined(await unpacked(await get(file))), { accelerator: "wasm" });

/** LiteRT asks for its WebAssembly by itself, unless it is given: here it lies packed, a third as large. */
async function loadRuntime(base: URL): Promise<void> {
  const name = (await supportsFeature("relaxedSimd"))
    ? "litert_wasm_internal"
    : "litert_wasm_compat_internal";
  const wasmBinary = await unpacked(await get(new URL(`${LITERT}${name}.wasm.gz`, base)));
  Object.assign(self, { Module: { wasmBinary } });
  await loadLiteRt(new URL(`${LITERT}${name}.js`, base).href);
}

async function run(
  model: CompiledModel,
  input: Manifest["models"][string]["input"],
  values: Float32Array,
): Promise<Scores> {
  const tensor = new Tensor(values, input.shape);
  try {
    const outputs = await model.run({ [input.name]: tensor });
    return Object.fromEntries(
      Object.entries(outputs).map(([name, output]) => {
        const copy = Float32Array.from(output.toTypedArray());
        output.delete();
        return [name, copy];
      }),
    );
  } finally {
    tensor.delete();
  }
}

/** First bytes of all numbers, then second ones, and so on, which packs well → the model. */
function joined(planes: ArrayBuffer): Uint8Array {
  const bytes = new Uint8Array(planes);
  const count = bytes.length / PLANES;
  const model = new Uint8Array(bytes.length);
  for (let plane = 0; plane < PLANES; plane++) {
    for (let at = 0; at < count; at++) model[at * PLANES + plane] = bytes[plane * count + at]!;
  }
  return model;
}

function sizeOf(manifest: Manifest, model: string): Size {
  const [, height, width] = manifest.models[model]!.input.shape;
  return { height, width };
}

async function get(url: URL): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.pathname} cannot be loaded: HTTP ${response.status}.`);
  return response;
}

/** A file's bytes; those of a packed one, unpacked, unless the server has done that already. */
async function unpacked(response: Response): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.buffer;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
