// Apollo Client, unchanged: persisted queries, errors by their codes, pages by cursors, and its link of batches.
// In: node apollo.mjs BASE_URL USER_TOKEN EDITOR_TOKEN. Out: a line a step, and exit code 0 if all held.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { BatchHttpLink } from "@apollo/client/link/batch-http";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { relayStylePagination } from "@apollo/client/utilities";
import { finish, step } from "../steps.mjs";

const [base, user, editor] = process.argv.slice(2);
assert.ok(editor, "usage: apollo.mjs BASE_URL USER_TOKEN EDITOR_TOKEN");

const uri = `${base}/graphql`;
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** A client that notes what goes over the wire. */
function client({ token, links = [], terminating, typePolicies = {} } = {}) {
  const wire = [];
  const noted = async (url, init) => {
    const response = await fetch(url, init);
    wire.push({ method: init.method ?? "GET", url: String(url), status: response.status, headers: response.headers });
    return response;
  };
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const last = terminating ? terminating(noted, headers) : new HttpLink({ uri, headers, fetch: noted });
  const link = ApolloLink.from([...links, last]);
  return { apollo: new ApolloClient({ link, cache: new InMemoryCache({ typePolicies }) }), wire };
}

/** The errors of a request that must fail, as Apollo Client reads them. */
async function refusal(promise) {
  const error = await promise.then(() => assert.fail("it was not refused"), (error) => error);
  assert.ok(CombinedGraphQLErrors.is(error), `the codes are lost: ${error}`);
  return error.errors;
}

const TREE = gql`
  query Tree($id: ID!) {
    tree(id: $id) {
      id
      name
    }
  }
`;

await step("a query is answered, and cached by its entities", async () => {
  const { apollo, wire } = client();
  const { data } = await apollo.query({ query: TREE, variables: { id: 1 } });
  assert.equal(data.tree.name, "Banyan");
  await apollo.query({ query: TREE, variables: { id: 1 } });
  assert.equal(wire.length, 1);
  assert.match(wire[0].headers.get("content-type"), /^application\/graphql-response\+json/);
});

await step("a persisted query is missed once, sent by POST, and then found by GET", async () => {
  const links = () => [new PersistedQueryLink({ sha256, useGETForHashedQueries: true })];
  const query = gql`
    query Persisted {
      trees(first: 2, orderBy: [{ id: ASC }]) {
        nodes {
          id
          species
        }
      }
    }
  `;
  const first = client({ links: links() });
  const { data } = await first.apollo.query({ query });
  assert.equal(data.trees.nodes.length, 2);
  assert.deepEqual(first.wire.map(({ method }) => method), ["GET", "POST"]);
  assert.equal(first.wire[0].headers.get("cache-control"), "no-store");
  const second = client({ links: links() });
  assert.deepEqual((await second.apollo.query({ query })).data, data);
  assert.deepEqual(second.wire.map(({ method, status }) => [method, status]), [["GET", 200]]);
  assert.equal(second.wire[0].headers.get("cache-control"), null);
  assert.ok(!new URL(second.wire[0].url).searchParams.has("query"));
});

await step("a hash that is not the document's is refused", async () => {
  const { apollo } = client({ links: [new PersistedQueryLink({ sha256: () => "0".repeat(64) })] });
  const [error] = await refusal(apollo.query({ query: TREE, variables: { id: 1 } }));
  assert.equal(error.extensions.code, "BAD_USER_INPUT");
});

await step("errors are read by their codes", async () => {
  const { apollo } = client();
  const unknown = gql`
    query {
      leaves {
        id
      }
    }
  `;
  const expenses = gql`
    query {
      expenses {
        totalCount
      }
    }
  `;
  const code = async (options) => (await refusal(apollo.query(options)))[0].extensions.code;
  assert.equal(await code({ query: unknown }), "GRAPHQL_VALIDATION_FAILED");
  assert.equal(await code({ query: TREE, variables: { id: "x" } }), "BAD_USER_INPUT");
  assert.equal(await code({ query: expenses }), "UNAUTHENTICATED");
  const stranger = client({ token: "stale" });
  const [error] = await refusal(stranger.apollo.query({ query: TREE, variables: { id: 1 } }));
  assert.equal(error.extensions.code, "UNAUTHENTICATED");
});

const RENAME = gql`
  mutation Rename($id: ID!, $set: UpdateTreeInput!) {
    updateTree(id: $id, set: $set) {
      id
      name
    }
  }
`;

await step("a mutation's answer changes what is cached, and a failed one says why", async () => {
  const { apollo } = client({ token: editor });
  await apollo.query({ query: TREE, variables: { id: 2 } });
  await apollo.mutate({ mutation: RENAME, variables: { id: 2, set: { name: "Aspen" } } });
  assert.equal(apollo.readQuery({ query: TREE, variables: { id: 2 } }).tree.name, "Aspen");
  const [error] = await refusal(apollo.mutate({ mutation: RENAME, variables: { id: 2, set: { name: "" } } }));
  assert.deepEqual([error.extensions.code, error.extensions.field], ["BAD_USER_INPUT", "name"]);
  const { apollo: stranger } = client({ token: user });
  const [forbidden] = await refusal(stranger.mutate({ mutation: RENAME, variables: { id: 2, set: { name: "Mine" } } }));
  assert.equal(forbidden.extensions.code, "FORBIDDEN");
});

await step("pages are joined by their cursors", async () => {
  const typePolicies = { Query: { fields: { trees: relayStylePagination(["filter", "orderBy"]) } } };
  const { apollo } = client({ typePolicies });
  const query = gql`
    query Page($after: String) {
      trees(first: 3, after: $after, orderBy: [{ species: DESC }]) {
        edges {
          cursor
          node {
            id
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `;
  const watched = apollo.watchQuery({ query });
  const { data: first } = await new Promise((resolve, reject) => {
    watched.subscribe((result) => (result.error ? reject(result.error) : result.loading || resolve(result)));
  });
  assert.equal(first.trees.edges.length, 3);
  assert.ok(first.trees.pageInfo.hasNextPage);
  await watched.fetchMore({ variables: { after: first.trees.pageInfo.endCursor } });
  const all = apollo.readQuery({ query }).trees;
  assert.equal(new Set(all.edges.map(({ node }) => node.id)).size, 4);
  assert.equal(all.pageInfo.hasNextPage, false);
  apollo.stop();
});

await step("a batch is refused whole, and nothing of it runs", async () => {
  const terminating = (noted, headers) =>
    new BatchHttpLink({ uri, headers, fetch: noted, batchMax: 2, batchInterval: 5 });
  const { apollo, wire } = client({ token: editor, terminating });
  const rename = (name) => apollo.mutate({ mutation: RENAME, variables: { id: 3, set: { name } } });
  const results = await Promise.allSettled([rename("One"), rename("Two")]);
  assert.deepEqual(results.map(({ status }) => status), ["rejected", "rejected"]);
  assert.deepEqual(wire.map(({ status }) => status), [400]);
  const { apollo: other } = client();
  assert.equal((await other.query({ query: TREE, variables: { id: 3 } })).data.tree.name, "American Elm");
});

finish();
