/** A probability as a bar; the number stands beside it, so screen readers pass over the bar. */
export function Bar({ value }: { value: number }) {
  return (
    <span className="bar">
      <span className="bar-fill" style={{ width: `${value * 100}%` }} />
    </span>
  );
}
