import type { Server } from "../api/useServer";

interface Props {
  server: Server;
  /** Where else one can go. */
  children?: React.ReactNode;
}

/** The name, where else one can go, and how the server is. */
export function Header({ server, children }: Props) {
  return (
    <header className="header">
      <h1 className="wordmark">Lookbook</h1>
      {children && <nav className="header-links">{children}</nav>}
      <p className={`server server-${server.kind}`} role="status">
        <span className="dot" aria-hidden="true" />
        {words(server)}
      </p>
    </header>
  );
}

function words(server: Server): string {
  switch (server.kind) {
    case "asking":
      return "Looking for the models…";
    case "ready":
      return `Ready · release ${server.models.release}`;
    case "not_ready":
      return server.models.release === null ? "Not ready" : `Half ready · release ${server.models.release}`;
    case "locked":
      return "Locked";
    case "gone":
      return "No connection";
  }
}
