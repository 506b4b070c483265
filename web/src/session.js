// Who is signed in: `{ token, name }`, or null.
// In: credentials or a token. Out: a session, or an error with the server's own words.
// It is kept in sessionStorage, so that a reload keeps it and closing the tab ends it.

const KEY = "rootstock.session";

export const kept = () => JSON.parse(sessionStorage.getItem(KEY));

export function keep(session) {
  if (session) sessionStorage.setItem(KEY, JSON.stringify(session));
  else sessionStorage.removeItem(KEY);
}

export async function signIn(email, password) {
  const answer = await call("/auth/login", post({ email, password }));
  return { token: answer.access_token, name: answer.user.email };
}

/** Asks who the token speaks for, which also tells whether it is any good. */
export async function useToken(pasted) {
  const token = pasted.trim().replace(/^Bearer\s+/i, "");
  const user = await call("/auth/me", { headers: { Authorization: `Bearer ${token}` } });
  // A user of an outside identity provider may have no e-mail address.
  return { token, name: user.email ?? user.id };
}

const post = (body) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

async function call(path, init) {
  const response = await fetch(path, init).catch(() => {
    throw new Error("The server cannot be reached.");
  });
  // An error may come from a proxy and be no JSON.
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.message ?? `The server answered ${response.status}.`);
  return answer;
}
