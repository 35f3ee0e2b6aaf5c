import { useRef, useState } from "react";

import { percent } from "../answers/text";
import type { SimilarProduct } from "../api/contract";
import { type SimilarState, useSimilar } from "../api/useSimilar";
import { inWords } from "../api/words";

interface Props {
  file: Blob;
  /** What it is called. */
  name: string;
  /** That answered. */
  release: string;
}

/** The known products that look most like a picture, and what most of them are: a reason to believe the answer. */
export function Alike(props: Props) {
  const [attempt, setAttempt] = useState(1);
  return <Asked key={attempt} {...props} onRetry={() => setAttempt(attempt + 1)} />;
}

function Asked({ file, name, release, onRetry }: Props & { onRetry: () => void }) {
  const place = useRef<HTMLElement>(null);
  const state = useSimilar(file, release, place);
  if (state.kind === "none") return null;
  return (
    <section className="alike" ref={place} aria-label={`Products that look like ${name}`}>
      <Products state={state} name={name} onRetry={onRetry} />
    </section>
  );
}

interface ProductsProps {
  state: SimilarState;
  name: string;
  onRetry: () => void;
}

function Products({ state, name, onRetry }: ProductsProps) {
  if (state.kind === "failed") {
    return (
      <p className="meta">
        No similar products: {inWords(state.problem).what}{" "}
        <button
          type="button"
          className="button-text"
          aria-label={`Similar to ${name}: retry`}
          onClick={onRetry}
        >
          Retry
        </button>
      </p>
    );
  }
  if (state.kind !== "known") return <p className="meta">Looking for similar products…</p>;
  const { products, nearest, counted } = state.similar;
  const [first] = nearest;
  return (
    <>
      {first && (
        <p className="meta">
          {first.count} of the {counted} nearest are {first.label}
        </p>
      )}
      <ol className={products.some(({ thumbnail }) => thumbnail) ? "alike-row" : "alike-list"}>
        {products.map((product) => (
          <Product key={product.id} product={product} />
        ))}
      </ol>
    </>
  );
}

function Product({
  product: { id, name, article_type, similarity, thumbnail },
}: {
  product: SimilarProduct;
}) {
  return (
    <li title={`${id}: ${name || article_type}, ${article_type}, ${percent(similarity)} alike`}>
      {thumbnail && <img src={dataUrl(thumbnail)} alt="" decoding="async" />}
      <span className="alike-name">{name || article_type}</span>
    </li>
  );
}

/** The two kinds that a release has, told by how their Base64 begins. */
const dataUrl = (base64: string) =>
  `data:image/${base64.startsWith("iVBORw0KGgo") ? "png" : "jpeg"};base64,${base64}`;
