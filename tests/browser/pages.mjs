// The pages in a real browser, against a running server: GraphiQL and Swagger UI as a person uses them, the landing page.

import { finish } from "./driver.mjs";

// One after the other: they share the page.
await import("./graphiql.mjs");
await import("./docs.mjs");
await import("./landing.mjs");
await finish();
