// The landing page.

import assert from "node:assert/strict";
import { context, origin, page, shot, shows, step } from "./driver.mjs";

await step("the landing page names this server, and its links hold", async () => {
  await page.goto(`${origin}/`);
  await shows(page.locator("pre").first(), `curl ${origin}/trees`);
  const links = await page.getByRole("link").evaluateAll((all) => all.map((one) => one.href));
  assert.ok(links.length >= 4, `only ${links.length} links`);
  for (const link of links) assert.equal((await context.request.get(link)).status(), 200, link);
  await shot("landing-light");
  await page.emulateMedia({ colorScheme: "dark" });
  await shot("landing-dark");
});
