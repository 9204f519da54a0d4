// The pages of the mini program, drawn by WeChat's own simulation tool, on a phone whose requests are real.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { JSDOM } from 'jsdom';

const require = createRequire(import.meta.url);
const here = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** Makes .build of miniprogram/, as the developer tools do it: TypeScript to scripts, the rest as it is. */
function build() {
  rmSync(here('.build'), { recursive: true, force: true });
  const keep = (path) => !path.endsWith('.ts') && !path.includes('miniprogram_npm');
  cpSync(here('miniprogram'), here('.build'), { recursive: true, filter: keep });
  execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '--project', here('tsconfig.json')], { stdio: 'inherit' });
}

build();
const { window } = new JSDOM('<!doctype html><body></body>', { url: 'https://servicewechat.com/' });
Object.assign(globalThis, {
  window, document: window.document, Event: window.Event, CustomEvent: window.CustomEvent, Node: window.Node, Element: window.Element,
  Touch: window.Touch, TouchEvent: window.TouchEvent, MutationObserver: window.MutationObserver,
});
const simulate = require('miniprogram-simulate');

/** Which simulator the mini program is told of in its config. */
export function configure(changes) {
  Object.assign(require(here('.build/config.js')).config, changes);
}

/** Opens a page on this phone. `page.settled()` waits for all that it has begun. */
export async function open(phone, path, query = {}) {
  const began = [];
  // What the page opens next, instead of opening it.
  const opened = [];
  // One and the same all the time: the mini program may have kept it.
  globalThis.wx ??= {};
  Object.assign(globalThis.wx, phone.wx, { navigateTo: ({ url }) => { opened.push(url); }, stopPullDownRefresh() {} });
  const id = simulate.load(here(`.build/${path}`), { rootPath: here('.build') });
  const page = simulate.render(id);
  page.attach(window.document.body);
  const { instance } = page;
  for (const name of ['load', 'look', 'buy', 'pay']) {
    const method = instance[name];
    if (method) instance[name] = (...words) => { const done = method.apply(instance, words); began.push(done); return done; };
  }
  await instance.onLoad(query);

  return {
    instance,
    opened,
    /** The text of what this selector finds, or nothing. */
    text: (selector) => page.querySelector(selector)?.dom.textContent.trim().replace(/\s+/g, ' '),
    texts: (selector) => page.querySelectorAll(selector).map(({ dom }) => dom.textContent.trim()),
    /** Taps; the event finds its way as on a phone, and has found it when this is done. */
    async tap(selector) {
      const found = page.querySelector(selector);
      assert.ok(found, `${path} shows no ${selector}`);
      found.dispatchEvent('tap');
      await new Promise(setImmediate);
    },
    async settled() {
      while (began.length) await began.shift();
    },
    close: () => page.detach(),
  };
}
