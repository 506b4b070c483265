// urql, unchanged: its core, and its exchanges for persisted queries, for the normalised cache and for sessions.
// In: node urql.mjs BASE_URL USER_TOKEN EDITOR_TOKEN. Out: a line a step, and exit code 0 if all held.

import assert from "node:assert/strict";
import { Client, fetchExchange, gql } from "@urql/core";
import { authExchange } from "@urql/exchange-auth";
import { cacheExchange } from "@urql/exchange-graphcache";
import { persistedExchange } from "@urql/exchange-persisted";
import { getIntrospectionQuery } from "graphql";
import { finish, step } from "../steps.mjs";

const [base, user, editor] = process.argv.slice(2);
assert.ok(editor, "usage: urql.mjs BASE_URL USER_TOKEN EDITOR_TOKEN");

const url = `${base}/graphql`;

/** A client that notes what goes over the wire. */
function client({ token, exchanges = [], preferGetMethod = false } = {}) {
  const wire = [];
  const noted = async (to, init) => {
    const response = await fetch(to, init);
    const media = response.headers.get("content-type");
    wire.push({ method: init.method ?? "GET", url: String(to), status: response.status, media });
    return response;
  };
  const fetchOptions = token ? { headers: { authorization: `Bearer ${token}` } } : {};
  const all = [...exchanges, fetchExchange];
  return { urql: new Client({ url, exchanges: all, fetch: noted, fetchOptions, preferGetMethod }), wire };
}

const TREE = gql`
  query Tree($id: ID!) {
    tree(id: $id) {
      id
      name
    }
  }
`;

await step("a query is answered as JSON although streams are accepted too", async () => {
  for (const preferGetMethod of [false, "force"]) {
    const { urql, wire } = client({ preferGetMethod });
    const { data, error } = await urql.query(TREE, { id: 1 }).toPromise();
    assert.equal(error, undefined);
    assert.equal(data.tree.name, "Banyan");
    assert.deepEqual(wire.map(({ method }) => method), [preferGetMethod ? "GET" : "POST"]);
    assert.match(wire[0].media, /^application\/graphql-response\+json/);
  }
});

await step("errors are read by their codes", async () => {
  const { urql } = client();
  const codes = async (query, variables) => {
    const { error } = await urql.query(query, variables).toPromise();
    return error.graphQLErrors.map(({ extensions }) => extensions.code);
  };
  assert.deepEqual(await codes("{ leaves { id } }", {}), ["GRAPHQL_VALIDATION_FAILED"]);
  assert.deepEqual(await codes(TREE, {}), ["BAD_USER_INPUT"]);
  assert.deepEqual(await codes("{ expenses { totalCount } }", {}), ["UNAUTHENTICATED"]);
  const { urql: stranger } = client({ token: "stale" });
  const { error } = await stranger.query("{ me { id } }", {}).toPromise();
  assert.equal(error.graphQLErrors[0].extensions.code, "UNAUTHENTICATED");
});

await step("a persisted query is missed once, sent whole, and then found by either method", async () => {
  const query = gql`
    query Persisted {
      trees(first: 1, orderBy: [{ id: DESC }]) {
        nodes {
          name
        }
      }
    }
  `;
  const ask = async (preferGetForPersistedQueries) => {
    const { urql, wire } = client({ exchanges: [persistedExchange({ preferGetForPersistedQueries })] });
    const { data, error } = await urql.query(query, {}).toPromise();
    assert.equal(error, undefined);
    assert.equal(data.trees.nodes[0].name, "Red Maple");
    return wire.map(({ method, status }) => `${method} ${status}`);
  };
  assert.deepEqual(await ask(false), ["POST 400", "POST 200"]);
  assert.deepEqual(await ask(false), ["POST 200"]);
  assert.deepEqual(await ask(true), ["GET 200"]);
});

await step("a persisted mutation goes by POST", async () => {
  const exchanges = [persistedExchange({ preferGetForPersistedQueries: true, enableForMutation: true })];
  const { urql, wire } = client({ token: user, exchanges });
  const create = gql`
    mutation {
      createExpense(input: { title: "Tram", amount: "2.80" }) {
        id
      }
    }
  `;
  const { data, error } = await urql.mutation(create, {}).toPromise();
  assert.equal(error, undefined);
  assert.ok(data.createExpense.id);
  assert.ok(wire.every(({ method }) => method === "POST"));
});

const LIST = gql`
  query List {
    trees(first: 100, orderBy: [{ name: ASC }]) {
      nodes {
        id
        name
        species
      }
      pageInfo {
        hasNextPage
      }
    }
  }
`;

await step("the normalised cache knows the schema, and follows what mutations answer", async () => {
  const { urql: asking } = client();
  const introspected = await asking.query(getIntrospectionQuery(), {}).toPromise();
  assert.equal(introspected.error, undefined);
  const schema = introspected.data;
  const without = schema.__schema.types.filter(
    ({ kind, name, fields }) =>
      kind === "OBJECT" && !/^__|^(Query|Mutation|Subscription)$/.test(name) && !fields.some(({ name }) => name === "id"),
  );
  // What has no key of its own is part of what it stands in.
  const keys = Object.fromEntries(without.map(({ name }) => [name, () => null]));
  const updates = {
    Mutation: {
      createTree(result, _, cache) {
        cache.updateQuery({ query: LIST }, (data) => {
          data?.trees.nodes.push(result.createTree);
          return data;
        });
      },
      deleteTree(result, _, cache) {
        cache.invalidate({ __typename: "Tree", id: result.deleteTree.id });
      },
    },
  };
  const told = [];
  const logger = (severity, message) => severity === "debug" || told.push(`${severity}: ${message}`);
  const { urql, wire } = client({ token: editor, exchanges: [cacheExchange({ schema, keys, updates, logger })] });
  const names = async () => {
    const { data, error } = await urql.query(LIST, {}).toPromise();
    assert.equal(error, undefined);
    return data.trees.nodes.map(({ name }) => name);
  };
  const before = await names();
  assert.equal(before.length, 4);
  const rename = "mutation ($id: ID!) { updateTree(id: $id, set: { name: \"Elm\" }) { id name } }";
  assert.equal((await urql.mutation(rename, { id: 3 }).toPromise()).error, undefined);
  assert.ok((await names()).includes("Elm"));
  const plant = "mutation { createTree(input: { name: \"Yew\", species: \"Taxus baccata\" }) { id name species } }";
  const planted = await urql.mutation(plant, {}).toPromise();
  assert.equal(planted.error, undefined);
  assert.ok((await names()).includes("Yew"));
  assert.equal(wire.length, 3, "the list was asked for again");
  const fell = "mutation ($id: ID!) { deleteTree(id: $id) { id } }";
  assert.equal((await urql.mutation(fell, { id: planted.data.createTree.id }).toPromise()).error, undefined);
  const after = await urql.query(LIST, {}, { requestPolicy: "network-only" }).toPromise();
  assert.equal(after.data.trees.nodes.length, 4);
  assert.deepEqual(told, []);
});

await step("a session is refreshed when its token is no longer good, and the operation sent again", async () => {
  const SESSION = "accessToken refreshToken";
  const register = `mutation ($input: RegisterInput!) { register(input: $input) { ${SESSION} } }`;
  const refresh = `mutation ($token: String!) { refresh(refreshToken: $token) { ${SESSION} } }`;
  const input = { email: "urql@example.com", password: "salmon-quilt-47-harbour", name: "Ursula" };
  const { urql: anybody } = client();
  const registered = await anybody.mutation(register, { input }).toPromise();
  assert.equal(registered.error, undefined);
  // The access token has ended; the refresh mutation goes out with it all the same.
  let session = { ...registered.data.register, accessToken: "stale" };
  let refreshed = 0;
  const auth = authExchange(async (utils) => ({
    addAuthToOperation: (operation) => utils.appendHeaders(operation, { Authorization: `Bearer ${session.accessToken}` }),
    didAuthError: (error) => error.graphQLErrors.some(({ extensions }) => extensions?.code === "UNAUTHENTICATED"),
    refreshAuth: async () => {
      refreshed += 1;
      const { data, error } = await utils.mutate(refresh, { token: session.refreshToken });
      assert.equal(error, undefined);
      session = data.refresh;
    },
  }));
  const { urql, wire } = client({ exchanges: [auth] });
  const me = await urql.query("{ me { name } }", {}).toPromise();
  assert.equal(me.error, undefined);
  assert.deepEqual([me.data.me.name, refreshed], ["Ursula", 1]);
  assert.deepEqual(wire.map(({ status }) => status), [401, 200, 200]);
});

finish();
