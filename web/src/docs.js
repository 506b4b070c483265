// The page at /docs: Swagger UI on the server's own OpenAPI document.

import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-bundle.js";
import "swagger-ui-dist/swagger-ui.css";
import "./docs.css";

// Swagger UI has dark colours, but leaves it to the page when to show them.
const dark = matchMedia("(prefers-color-scheme: dark)");
const followSystem = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followSystem);
followSystem();

SwaggerUIBundle({
  url: "/openapi.json",
  domNode: document.getElementById("page"),
  deepLinking: true,
  displayRequestDuration: true,
  // The schemas are told with the operations; below them all they stand folded.
  defaultModelsExpandDepth: 0,
  // Its default sends the document to a validator on the internet.
  validatorUrl: null,
});
