// The page at /graphiql: GraphiQL under a bar for signing in.
//
// GraphiQL 3.9 and not 5: version 5 brings Monaco and its three workers, 7 MB in place of 1.5 MB in every binary, and
// what it adds is no help in trying out an API. React is 18 because that is the newest that 3.9 takes.

import { GraphiQL } from "graphiql";
import { useEffect, useMemo, useState } from "react";
import { createRoot } from "react-dom/client";
import "graphiql/style.css";
import { connect } from "./connect.js";
import "./graphiql.css";
import { keep, kept } from "./session.js";
import { SignIn } from "./sign-in.jsx";

const FIRST_QUERY = `# The trees of this server.
# Ctrl-Enter runs this, Ctrl-Space suggests fields.
{
  trees {
    nodes {
      id
      name
      species
    }
  }
}
`;

function Page() {
  const [session, setSession] = useState(kept);
  const [refused, setRefused] = useState(false);

  function enter(next) {
    keep(next);
    setSession(next);
    setRefused(false);
  }

  function turnedAway() {
    enter(null);
    setRefused(true);
  }

  // A new fetcher makes GraphiQL ask for the schema again: what it shows is what this caller may see.
  const connection = useMemo(() => connect(session, turnedAway), [session]);
  useEffect(() => () => connection.close(), [connection]);

  return (
    <>
      <SignIn session={session} refused={refused} onChange={enter} />
      {/* Headers are not kept: an Authorization header typed there would outlive the tab. */}
      <GraphiQL fetcher={connection.fetcher} defaultQuery={FIRST_QUERY} showPersistHeadersSettings={false}>
        <GraphiQL.Logo> </GraphiQL.Logo>
      </GraphiQL>
    </>
  );
}

createRoot(document.getElementById("page")).render(<Page />);
