// The bar above GraphiQL: who is signed in, and the ways to become somebody else.
// In: the session. Out: the next one, through `onChange`; what went wrong is said in the bar.

import { useState } from "react";
import { signIn, useToken } from "./session.js";

export function SignIn({ session, refused, onChange }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);

  async function attempt(next) {
    setBusy(true);
    setProblem(null);
    try {
      onChange(await next());
    } catch (error) {
      setProblem(error.message);
    } finally {
      setBusy(false);
    }
  }

  const onSubmit = (next) => (event) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    attempt(() => next(form));
  };

  // The server keeps no session: to sign out is to forget the token.
  function leave() {
    setProblem(null);
    onChange(null);
  }

  return (
    <header className="bar">
      <a href="/">Rootstock</a>
      <a href="/docs">REST</a>
      <p role="alert">{problem ?? (refused && "The token is no longer accepted: sign in again.")}</p>
      {session ? (
        <div>
          <output>
            Signed in as <strong>{session.name}</strong>
          </output>
          <button onClick={leave}>Sign out</button>
        </div>
      ) : (
        <fieldset disabled={busy}>
          <form onSubmit={onSubmit((form) => signIn(form.get("email"), form.get("password")))}>
            <input
              name="email"
              type="email"
              placeholder="E-mail"
              aria-label="E-mail"
              autoComplete="username"
              required
            />
            <input
              name="password"
              type="password"
              placeholder="Password"
              aria-label="Password"
              autoComplete="current-password"
              required
            />
            <button>Sign in</button>
          </form>
          <form onSubmit={onSubmit((form) => useToken(form.get("token")))}>
            <input name="token" placeholder="or paste a token" aria-label="Token" autoComplete="off" required />
            <button>Use</button>
          </form>
        </fieldset>
      )}
    </header>
  );
}
