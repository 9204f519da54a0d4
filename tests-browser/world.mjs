// A real `suanpan`, a real browser, and eyes on everything that must not happen.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const OUT = fileURLToPath(new URL('.out/', import.meta.url));
const BINARY = process.env.SUANPAN_BIN ?? fileURLToPath(new URL('../target/release/suanpan', import.meta.url));
const QUIET = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Starts `suanpan ARGS` in a folder of its own, which is its data where it has any, and waits for its ready line. */
export async function suanpan(...args) {
  const data = await mkdtemp(join(tmpdir(), 'suanpan-browser-'));
  const where = args[0] === 'serve' ? [] : ['--data', data];
  const child = spawn(BINARY, [...args, ...where], { cwd: data, stdio: ['ignore', 'pipe', 'pipe'] });
  let talk = '';
  child.stderr.setEncoding('utf8').on('data', (text) => { talk = (talk + text).slice(-20000); });
  const ready = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{') && JSON.parse(line).ready) resolve(JSON.parse(line));
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`suanpan ${args[0]} ended with ${code} before it was ready:\n${talk}`)));
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    await rm(data, { recursive: true, force: true });
  };
  return { ...ready, data, stop, talk: () => talk };
}

export async function browser() {
  await mkdir(OUT, { recursive: true });
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: process.getuid?.() === 0 ? [...QUIET, '--no-sandbox'] : QUIET,
  });
}

/** A page with a watch on it: `page.wellBehaved()` fails on an error, a policy violation or a request to the outside. */
export async function watchedPage(chrome, options = {}) {
  const context = await chrome.newContext({ locale: 'zh-CN', viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(15000);
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
  });
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(`page error: ${error.stack ?? error}`));
  page.on('console', (message) => message.type() === 'error' && !message.location().url.endsWith('/favicon.ico') && faults.push(`console: ${message.text()} ${message.location().url}`));
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== 'data:' && hostname !== '127.0.0.1') faults.push(`outside: ${request.url()}`);
  });
  return Object.assign(page, {
    faults,
    wellBehaved: () => assert.deepEqual(faults, []),
    photo: (name) => page.screenshot({ path: join(OUT, `${name}.png`), animations: 'disabled' }),
  });
}
