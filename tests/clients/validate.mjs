// Holds an OpenAPI document to the schema of OpenAPI 3.1.
// In: node validate.mjs FILE. Out: exit code 0 and nothing said, or 1 and what is wrong.

import { Validator } from "@seriousme/openapi-schema-validator";

const validator = new Validator();
const result = await validator.validate(process.argv[2]);
if (!result.valid || validator.version !== "3.1") {
  console.error(validator.version, JSON.stringify(result.errors, null, 2));
  process.exit(1);
}
