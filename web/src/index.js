// The landing page. Without this script it names the default address; with it, the one that the reader has come to.

import "./index.css";

for (const place of document.querySelectorAll("[data-origin]")) place.textContent = location.origin;
