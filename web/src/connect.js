// How GraphiQL reaches /graphql: queries and mutations by POST, subscriptions by WebSocket, both as the one signed in.
// In: a session or null, and what to do when its token is refused. Out: GraphiQL's fetcher.

import { getOperationAST, parse } from "graphql";
import { createClient } from "graphql-ws";

const ENDPOINT = new URL("/graphql", location.href);

export function connect(session, onRefused) {
  const authorization = session && `Bearer ${session.token}`;
  const socket = createClient({
    url: ENDPOINT.href.replace(/^http/, "ws"),
    connectionParams: authorization ? { authorization } : {},
  });

  async function post(request, typedHeaders) {
    const headers = new Headers({ "Content-Type": "application/json" });
    if (authorization) headers.set("Authorization", authorization);
    for (const [name, value] of Object.entries(typedHeaders ?? {})) headers.set(name, value);

    const response = await fetch(ENDPOINT, { method: "POST", headers, body: JSON.stringify(request) });
    // The bar's token, that is, and not one typed into the headers pane.
    if (authorization && response.status === 401 && headers.get("Authorization") === authorization) onRefused();
    return response.json();
  }

  return {
    fetcher: (request, { headers } = {}) => (subscribes(request) ? socket.iterate(request) : post(request, headers)),
    close: () => socket.dispose(),
  };
}

// GraphiQL hands its fetcher a parsed document too, but that one lags behind the editor by a moment.
function subscribes({ query, operationName }) {
  try {
    return getOperationAST(parse(query), operationName)?.operation === "subscription";
  } catch {
    // What cannot be parsed is for the server to explain.
    return false;
  }
}
