/** The page of a compliance report in a real browser: on a small screen, in the dark, and printed. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SCREENSHOTS, startChromium } from '../kit/chromium.ts';
import { MARKUP, startScenario, written } from './scenario.ts';

const scenario = await startScenario();
const { page, report } = await written(['--data', scenario.account.server.dataFolder]);
const server = createServer((_, response) => {
  response.setHeader('content-type', 'text/html');
  response.end(page);
}).listen(0, '127.0.0.1');
after(() => server.close());
const tab = await (await startChromium()).tab();
await tab.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);

test('page: the browser shows it without an error, and names with markup are text', async () => {
  await tab.shows('Belfry compliance report');
  assert.deepEqual(tab.problems, []);
  assert.equal(await tab.evaluate('document.scripts.length + document.images.length'), 0);
  assert.ok(String(await tab.evaluate("document.querySelector('main').textContent")).includes(MARKUP));
  assert.equal(
    await tab.evaluate('performance.getEntriesByType("resource").filter(({ name }) => !name.endsWith("/favicon.ico")).length'),
    0,
  );
});

test('page: each section has a heading that a link leads to, and says that nothing is certified', async () => {
  const links = await tab.evaluate(
    "[...document.querySelectorAll('nav a')].map((a) => document.querySelector(a.hash)?.textContent === a.textContent)",
  );
  assert.deepEqual(
    links,
    Array.from({ length: 12 }, () => true),
  );
  assert.ok(String(await tab.evaluate('document.body.textContent')).includes(report.statement));
  assert.equal(await tab.evaluate('document.title'), 'Belfry compliance report');
});

test('page: each table has a caption, and each cell a role and a header', async () => {
  const bare = `[...document.querySelectorAll('table')].filter((table) => table.caption === null || table.getAttribute('role') !== 'table'
    || [...table.rows].some((row) => row.cells[0].scope === '' || [...row.cells].some((cell) => !cell.hasAttribute('role')))).length`;
  assert.equal(await tab.evaluate(bare), 0);
  assert.ok(Number(await tab.evaluate("document.querySelectorAll('table').length")) > 15);
});

// biome-ignore format: a table
const LOOKS: readonly (readonly [width: number, scheme: 'light' | 'dark'])[] = [
  [360,   'light'],
  [360,   'dark'],
  [768,   'light'],
  [1_280, 'light'],
  [1_280, 'dark'],
];

/** Returns the texts of elements whose content is wider than they are, or that end outside of the window. */
const CUT = `[...document.querySelectorAll('main *')].filter((each) => each.closest('thead') === null || getComputedStyle(each.closest('thead')).position === 'static')
  .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1 || (each.clientWidth > 0 && each.scrollWidth > each.clientWidth + 1))
  .map((each) => each.tagName + ' ' + each.textContent.slice(0, 60))`;

for (const [width, scheme] of LOOKS) {
  test(`page: no text is cut at ${width} px, ${scheme}`, async () => {
    await tab.look(width, scheme);
    await tab.screenshot(`report-${width}-${scheme}`);
    assert.deepEqual(await tab.evaluate(CUT), []);
    assert.ok(Number(await tab.evaluate('document.documentElement.scrollWidth')) <= width);
  });
}

/** Relative luminance and contrast. Source: WCAG 2.2, definitions of relative luminance and of contrast ratio. */
const CONTRAST = `(() => {
  const rgb = (text) => text.match(/[0-9.]+/g).slice(0, 3).map(Number);
  const light = (text) => { const [r, g, b] = rgb(text).map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const back = light(getComputedStyle(document.querySelector('main')).backgroundColor);
  return Math.min(...[...document.querySelectorAll('h1, p, dt, dd, a, td, th')].map((each) => light(getComputedStyle(each).color))
    .map((text) => (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05)));
})()`;

for (const scheme of ['light', 'dark'] as const) {
  test(`page: texts have a contrast of at least 4.5 to 1 in the ${scheme} scheme`, async () => {
    await tab.look(1_280, scheme);
    assert.ok(Number(await tab.evaluate(CONTRAST)) >= 4.5);
  });
}

test('page: it prints several pages, in light colors also if the scheme is dark', async () => {
  await tab.look(1_280, 'dark');
  const file = await tab.print();
  assert.equal(file.toString('latin1', 0, 5), '%PDF-');
  if (SCREENSHOTS !== undefined) writeFileSync(join(SCREENSHOTS, 'report.pdf'), file);
  const pages = [...file.toString('latin1').matchAll(/\/Type \/Page\b/g)].length;
  assert.ok(pages >= 11, `${pages} pages`);
  assert.deepEqual(tab.problems, []);
});
