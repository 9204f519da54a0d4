// The site as a reader has it: from static files, with Chinese and English found, and nothing fetched from elsewhere.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { browser, watchedPage } from '../world.mjs';

const SITE = fileURLToPath(new URL('../../target/site/', import.meta.url));
const KINDS = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.svg': 'image/svg+xml', '.png': 'image/png' };

let server, chrome, address;

before(async () => {
  server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://site').pathname);
    try {
      const body = await readFile(SITE + (path.endsWith('/') ? `${path}index.html` : path));
      response.writeHead(200, { 'content-type': KINDS[extname(path)] ?? KINDS['.html'] }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  address = `http://127.0.0.1:${server.address().port}/`;
  chrome = await browser();
});

after(async () => {
  await chrome?.close();
  server?.close();
});

/** The pages that the search finds, the best first. */
async function found(page, words) {
  await page.goto(address);
  await page.locator('.md-search__input').fill(words);
  const results = page.locator('.md-search-result__link');
  await results.first().waitFor();
  return [...new Set(await results.evaluateAll((links) => links.map((link) => new URL(link.href).pathname)))];
}

for (const [words, page] of [
  ['对账', '/docs/flow/9-bills.html'],
  ['商户订单号重复', '/docs/faq.html'],
  ['结果不明', '/docs/concepts.html'],
  ['unknown outcome', '/docs/concepts.en.html'],
  ['SP-KEYS-PUBLIC', '/docs/errors.html'],
]) {
  test(`${words} is found`, async () => {
    const tab = await watchedPage(chrome);
    const results = await found(tab, words);
    assert.ok(results.includes(page), `${page} is not among ${results.join(' ')}`);
    await tab.wellBehaved();
    await tab.context().close();
  });
}
