// What the phone sends and hears, written down step by step, and the bricks of its pages.

import { language, read, shorten, t } from './phone-words.js';

export const $ = (id) => document.getElementById(id);
let steps = 0;

export class Trouble extends Error {
  constructor(facts) {
    super(read(facts.title));
    Object.assign(this, facts);
  }
}

export async function call(method, url, body, { name, hide } = {}) {
  const address = new URL(url, location.href);
  const step = name && wireStep(name);
  const asked = `→ ${method} ${address.origin === location.origin ? url : address.href}${body ? `\n${JSON.stringify(body, null, 2)}` : ''}`;
  let answer = null;
  // A login code is good for one login: the wire shows only its ends.
  const masked = (text) => (hide ? [hide(answer ?? {})].filter(Boolean).reduce((now, code) => now.replaceAll(code, shorten(code)), text) : text);
  const fail = (facts, answered) => {
    (step ?? wireStep(`${method} ${address.pathname}`)).bad(facts.status ? String(facts.status) : '✗', facts.code ?? read(facts.title), masked(`${asked}\n\n${answered ?? ''}`));
    throw new Trouble(facts);
  };
  const headers = { Accept: 'application/json', 'Accept-Language': language.now === 'en' ? 'en' : 'zh-CN' };
  if (body) headers['Content-Type'] = 'application/json';
  const begun = performance.now();
  let reply, text;
  try {
    reply = await fetch(address, { method, headers, body: body && JSON.stringify(body), credentials: 'omit' });
    text = await reply.text();
  } catch (cause) {
    return fail({ title: () => t('unreachable', address.host), remedy: () => t('unreachableRemedy') }, String(cause));
  }
  try { answer = text ? JSON.parse(text) : null; } catch { /* told below */ }
  const answered = `← ${reply.status}\n${answer ? JSON.stringify(answer, null, 2) : text.slice(0, 2000)}`;
  if (!reply.ok) {
    const problem = answer ?? {};
    const title = problem.detail ?? problem.title ?? problem.message ?? (() => t('answered', `${method} ${address.pathname}`, reply.status));
    const wechat = problem.wechat && `${problem.wechat.code}: ${problem.wechat.message}`;
    return fail({ title, why: problem.cause ?? wechat, remedy: problem.remedy, code: problem.code, requestId: problem.request_id, status: reply.status }, answered);
  }
  if (text && answer === null) return fail({ title: () => t('unreadable', address.host), remedy: () => t('unreachableRemedy'), status: reply.status }, answered);
  step?.good(`${reply.status} · ${Math.round(performance.now() - begun)} ms`, masked(`${asked}\n\n${answered}`));
  return { ...(step && { step }), answer };
}

/* ---- the wire: every step as the developer wants to see it ---- */

export function wireStep(name) {
  const parts = { number: el('span', 'wire-number', String(++steps)), name: el('span', 'wire-name', name), verdict: el('span', 'wire-verdict', '…'), gist: el('span', 'wire-gist') };
  const text = el('pre');
  const item = el('li', 'wire-busy', el('details', '', el('summary', '', ...Object.values(parts)), text));
  const end = (kind) => (verdict, gist, detail) => {
    item.className = kind;
    parts.verdict.textContent = verdict;
    parts.gist.textContent = gist;
    text.textContent = detail;
    $('wire-list').scrollTop = $('wire-list').scrollHeight;
  };
  $('wire-list').append(item);
  while ($('wire-list').children.length > 200) $('wire-list').firstChild.remove();
  $('wire-empty').hidden = true;
  $('wire-count').textContent = steps;
  const good = end('');
  return { good: (verdict, detail) => good(verdict, '', detail), bad: end('wire-bad'), gist: (gist, ok = true) => { parts.gist.textContent = gist; if (!ok) item.className = 'wire-warn'; } };
}

export function clearWire() {
  steps = 0;
  $('wire-list').replaceChildren();
  $('wire-count').textContent = '0';
  $('wire-empty').hidden = false;
}

/* ---- bricks ---- */

export function el(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#${name}`);
  svg.setAttribute('aria-hidden', 'true');
  svg.append(use);
  return svg;
}

export function button(className, testid, text, press, attributes = {}) {
  const node = el('button', className, text);
  node.type = 'button';
  return tagged(node, testid, { onclick: press, ...attributes });
}

export function tagged(node, testid, attributes = {}) {
  node.dataset.testid = testid;
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node[name] = (event) => node.getAttribute('aria-disabled') !== 'true' && value(event);
    else node.setAttribute(name, value);
  }
  return node;
}
