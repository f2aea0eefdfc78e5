/** The bench page in a browser of one's own: a form, and results to take along. */

import type { Browser } from "puppeteer";
import puppeteer from "puppeteer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveBench } from "../../scripts/serveBench.mjs";
import { chromeArgs, ensureBrowser } from "../../scripts/setup.mjs";

let server: Awaited<ReturnType<typeof serveBench>>;
let browser: Browser;
beforeAll(async () => {
  server = await serveBench();
  browser = await puppeteer.launch({ executablePath: ensureBrowser(), args: chromeArgs(), pipe: true });
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

test("measures what was chosen, and gives the results as a table and as a file", { timeout: 180_000 }, async () => {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(server.url);
  await page.waitForSelector("form");
  const families = await page.$$eval("input[name=only]", (boxes) => boxes.map(({ value }) => value));
  expect(families).toContain("matmul");
  expect(families).toContain("pointwise");

  for (const box of await page.$$("input[name=only]")) await box.click(); // none
  await page.click("button[type=submit]");
  expect(await page.$eval("[role=status]", ({ textContent }) => textContent)).toMatch(/^Choose/);

  await page.click("input[value=pointwise]");
  await page.$eval("input[name=rounds]", (input) => {
    input.value = "1";
  });
  await page.click("button[type=submit]");
  await page.waitForSelector("table", { timeout: 150_000 });
  expect(await page.$eval("[role=status]", ({ textContent }) => textContent)).toBe("Done.");
  const rows = await page.$$eval("tr", (lines) =>
    lines.map((line) => [...line.children].map(({ textContent }) => textContent)),
  );
  expect(rows[0]!.slice(0, 3)).toEqual(["work", "way", "ms"]);
  const chain = rows.find(([work]) => work!.startsWith("chain of 10 ops"))!;
  expect(Number(chain[2])).toBeGreaterThan(0);

  const [name, report] = await page.$eval(
    "a[download]",
    async (link) =>
      [
        link.download,
        (await (await fetch(link.href)).json()) as { adapter: string; rows: { work: string }[] },
      ] as const,
  );
  expect(name).toMatch(/^flywheel-bench-.+-\d{4}-\d\d-\d\d\.json$/);
  expect(report.adapter.length).toBeGreaterThan(0);
  expect(report.rows.map(({ work }) => work)).toContain(chain[0]);
  expect(complaints).toEqual([]);
  await page.close();
});
