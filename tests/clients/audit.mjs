// The audits of GraphQL over HTTP that graphql-http has for every server: its MUSTs and its SHOULDs.
// In: node audit.mjs BASE_URL. Out: a line an audit, and exit code 0 if none failed that is a MUST or a SHOULD.

import assert from "node:assert/strict";
import { serverAudits } from "graphql-http";
import { finish, step } from "../steps.mjs";

const [base] = process.argv.slice(2);
assert.ok(base, "usage: audit.mjs BASE_URL");

for (const { id, name, fn } of serverAudits({ url: `${base}/graphql` })) {
  await step(`${id} ${name}`, async () => {
    const result = await fn();
    // What a server MAY do and does not is a notice.
    const held = result.status === "ok" || (result.status === "notice" && name.startsWith("MAY"));
    assert.ok(held, `${result.status}: ${result.reason}`);
  });
}

finish();
