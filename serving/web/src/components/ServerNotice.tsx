import type { Server } from "../api/useServer";

/** What is wrong with the server and what to do, and that its release is a trial. */
export function ServerNotice({ server }: { server: Server }) {
  return (
    <>
      {"models" in server && server.models.trial && (
        <Notice title={`TRIAL · release ${server.models.release}`}>
          It was made from too few pictures for anybody to know how often it is right. Rely on none of its
          answers.
        </Notice>
      )}
      <Trouble server={server} />
    </>
  );
}

function Trouble({ server }: { server: Server }) {
  if (server.kind === "gone") {
    return (
      <Notice title="The server does not answer.">
        Check your connection, or ask whoever runs Lookbook. This page keeps asking; your pictures and labels
        stay here.
      </Notice>
    );
  }
  if (server.kind === "not_ready") {
    const missing = server.models.models.filter(({ available }) => !available);
    return (
      <Notice
        title={missing.length === 1 ? "One of the two models is away." : "The models are not ready yet."}
      >
        This page keeps asking and says when they are.
        {missing.some(({ message }) => message) && (
          <details>
            <summary>What the server says</summary>
            <ul>
              {missing.map(({ name, message }) => (
                <li key={name}>
                  <code>{name}</code>: {message}
                </li>
              ))}
            </ul>
          </details>
        )}
      </Notice>
    );
  }
  return null;
}

function Notice({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <div className="notice" role="status">
      <strong>{title}</strong>
      <div>{children}</div>
    </div>
  );
}
