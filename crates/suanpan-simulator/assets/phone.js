// The payer's phone: WeChat, a mini program and the payer's thumb in one page.
//
// Read it from the bottom: `start` loads the configuration, `pay` walks login,
// prepay and the sheet, `settle` waits for the truth. As in a right mini program,
// `requestPayment:ok` proves nothing: an order is paid when its backend says so.

import { beijing, chooseLanguage, language, money, read, remember, shorten, t, translate, yuan } from './phone-words.js';
import { $, Trouble, button, call, clearWire, el, icon, tagged, wireStep } from './phone-wire.js';

const FIELDS = ['timeStamp', 'nonceStr', 'package', 'signType', 'paySign'];
// When no event comes, ask: after 3 s, then less and less often, then leave it to the reader.
const PATIENCE = [3000, 3000, 5000, 10000];

const state = { config: null, user: null, items: null, orders: [], notes: new Map(), sheet: null, trouble: null, formTrouble: null, draft: {} };
const waiting = new Map();

const bigMoney = (fen) => [el('small', '', '¥'), yuan(fen)];
const facts = (className, rows) => el('dl', className, ...rows.filter(([, value]) => value).map(([name, value]) => el('div', '', el('dt', '', name), el('dd', '', value))));
const emptyState = (title, hint) => el('div', 'card empty', icon('cup'), el('strong', '', title), el('span', '', hint));

function troubleCard(trouble, again) {
  const ids = [trouble.code, trouble.requestId].filter(Boolean).join(' · ');
  const card = el('section', 'trouble', el('h2', '', read(trouble.title) ?? trouble.message), trouble.why && el('p', '', read(trouble.why)), trouble.remedy && el('p', '', read(trouble.remedy)), ids && el('p', 'mono', ids), again && button('primary small', 'retry', t('retry'), again));
  return tagged(card, 'trouble', { role: 'alert' });
}

const say = (text) => { $('live').textContent = text; };

/* ---- the screens ---- */

const orderInView = () => decodeURIComponent(location.hash.match(/^#\/order\/(.+)$/)?.[1] ?? '');
const findOrder = (id) => state.orders.find((order) => order.id === id);
const appOf = (appid) => state.config.apps.find((app) => app.appid === appid);

function note(id, change) {
  // Our own mistakes are not the payer's: they are shown, and they reach the browser's console.
  if (change.trouble instanceof Error && !(change.trouble instanceof Trouble)) reportError(change.trouble);
  state.notes.set(id, { ...state.notes.get(id), ...change });
  render();
}

function render() {
  const focused = document.activeElement?.dataset?.testid;
  const scroll = $('view').scrollTop;
  const id = orderInView();
  const order = findOrder(id);
  const content = !state.config ? [state.trouble ? troubleCard(state.trouble, start) : el('p', 'empty', t('loading'))]
    : id ? (order ? orderScreen(order) : [troubleCard({ title: t('gone'), remedy: t('goneRemedy') }), el('div', 'actions', button('secondary', 'back-home', t('home'), goHome))])
      : state.config.shop ? shopScreen() : directScreen();
  $('view').replaceChildren(...content.filter(Boolean));
  $('view').scrollTop = scroll;
  $('back-button').hidden = !id;
  const title = id ? t('order') : state.config?.shop?.name ?? (state.config ? t('pay') : t('phone'));
  $('title').textContent = title;
  document.title = `${title} · ${t('phone')}`;
  if (focused && document.activeElement === document.body) document.querySelector(`[data-testid="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

function who() {
  if (!state.config.users.length) return emptyState(t('noUsers'), t('noUsersHint'));
  const users = state.config.users.map((user, index) => {
    const avatar = el('span', `avatar avatar-${index % 3}`, user.slice(0, 1).toUpperCase());
    avatar.setAttribute('aria-hidden', 'true');
    const node = button('user', `user-${user}`, avatar, () => { state.user = remember('user', user) ?? user; render(); }, { 'aria-pressed': String(user === state.user) });
    node.append(user);
    return node;
  });
  const group = el('div', 'card who', el('span', 'who-label', t('who')), ...users);
  group.setAttribute('role', 'group');
  group.setAttribute('aria-label', t('who'));
  return group;
}

function shopScreen() {
  const goods = state.items?.map((item, index) => tagged(el('li', '',
    el('span', `picture picture-${index % 4}`, icon('cup')),
    el('div', '', el('p', 'goods-name', item.name), el('p', 'goods-line', el('span', 'price', money(item.amount)), el('span', 'tag', `API${item.api}`))),
    button('primary small', `buy-${item.id}`, t('buy'), () => buy(item), { 'aria-label': t('buyNamed', item.name) })), `item-${item.id}`));
  return [who(),
    el('h2', 'section-title', t('goodsTitle')),
    state.trouble ? troubleCard(state.trouble, loadShop) : !goods ? el('p', 'empty', t('loading')) : goods.length ? el('ul', 'card goods', ...goods) : emptyState(t('noGoods'), t('noGoodsHint')),
    el('h2', 'section-title', t('ordersTitle')), orderList()];
}

function orderList() {
  if (state.config.shop && !state.items) return el('p', 'empty', state.trouble ? '' : t('loading'));
  if (!state.orders.length) return emptyState(t('noOrders'), t('noOrdersHint'));
  return tagged(el('ul', 'card orders', ...state.orders.map((order) => {
    const row = button('order-row', `order-${order.id}`, el('span', '', order.description ?? order.id), () => { location.hash = `#/order/${encodeURIComponent(order.id)}`; });
    row.append(el('span', 'amount', money(order.amount)), el('span', 'sub mono', order.id), badge(order));
    return el('li', '', row);
  })), 'orders');
}

/** What the payer is shown: WeChat's "ok" alone is "confirming", never "paid". */
function shown(order) {
  if (order.status === 'paid' || order.status === 'closed') return order.status;
  return ['confirming', 'doubt'].includes(state.notes.get(order.id)?.phase) ? 'confirming' : 'unpaid';
}

function badge(order) {
  const [kind, mark] = { paid: ['state-paid', 'check'], closed: ['', 'dash'], confirming: ['state-wait', 'clock'], unpaid: ['state-wait', 'clock'] }[shown(order)];
  return tagged(el('span', `state ${kind}`, icon(mark), t(shown(order))), `order-status-${order.id}`, { 'data-status': shown(order) });
}

function orderScreen(order) {
  const { phase, trouble, errMsg } = state.notes.get(order.id) ?? {};
  const status = shown(order);
  const busy = status !== 'paid' && (phase === 'opening' || phase === 'confirming');
  const mark = { paid: 'check', closed: 'dash', confirming: 'clock', unpaid: 'clock' }[status];
  const hint = status === 'paid' ? 'hintPaid' : status === 'closed' ? 'hintClosed' : { confirming: 'hintConfirming', doubt: 'hintDoubt', cancelled: 'hintCancelled', pasted: 'hintPasted' }[phase] ?? 'hintUnpaid';
  const actions = [];
  if (status === 'unpaid') actions.push(button('primary', 'pay', phase === 'opening' ? t('opening') : phase === 'pasted' ? t('again') : t('payNow', money(order.amount)), () => pay(order), { 'aria-disabled': String(busy) }));
  if (status === 'confirming') actions.push(button('secondary', 'recheck', phase === 'doubt' ? t('recheck') : t('checking'), () => recheck(order), { 'aria-disabled': String(phase !== 'doubt') }));
  if (status !== 'unpaid') actions.push(button(status === 'confirming' ? 'text-button' : 'secondary', 'back-home', t('home'), goHome));
  const rows = [[t('goods'), order.description], [t('merchant'), appOf(order.app)?.merchant_name], [t('paidAt'), order.paid_at && beijing(order.paid_at)], [t('refunded'), order.amount_refunded > 0 && money(order.amount_refunded)],
    [t('transaction'), order.transaction_id && el('span', 'mono', order.transaction_id)], [t('orderId'), el('span', 'mono', order.id)],
    [t('requestSaid'), errMsg && !state.sheet && tagged(el('span', 'mono', errMsg), 'errmsg')]];
  const root = tagged(el('div', '',
    el('section', `card hero hero-${status} ${status === 'confirming' && phase !== 'doubt' ? 'hero-busy' : ''}`, el('span', 'hero-mark', icon(mark)), badge(order), el('p', 'big', ...bigMoney(order.amount)), el('p', 'hint', t(hint))),
    trouble && status !== 'paid' && troubleCard(trouble),
    facts('card facts', rows), el('div', 'actions', ...actions)), 'order-page', { 'data-order-id': order.id, 'aria-busy': String(busy) });
  return [root];
}

function directScreen() {
  const app = (key) => field(key, t('app'), el('select', '', ...state.config.apps.map((known) => new Option(`${known.merchant_name ?? known.mchid} · ${known.appid}`, known.appid))));
  return [who(),
    form('direct', directPay, el('h2', '', t('noShop')), el('p', 'hint', t('noShopHint')), field('direct-backend', t('backend'), el('input'), { type: 'url', placeholder: 'http://127.0.0.1:8080', autocomplete: 'url' }), field('direct-order', t('orderId'), el('input'), { placeholder: 'ord_…', autocomplete: 'off' }), app('direct-app')),
    form('paste', pastePay, el('h2', '', t('paste')), el('p', 'hint', t('pasteHint')), field('paste-params', t('params'), el('textarea'), { spellcheck: 'false' }), app('paste-app')),
    state.orders.length > 0 && el('h2', 'section-title', t('ordersTitle')), state.orders.length > 0 && orderList()];
}

function field(key, label, input, attributes = {}) {
  tagged(input, key, attributes);
  if (state.draft[key] !== undefined) input.value = state.draft[key];
  input.oninput = () => { state.draft[key] = input.value; };
  return el('label', '', label, input);
}

function form(key, submit, ...children) {
  const failed = state.formTrouble?.form === key && troubleCard(state.formTrouble);
  const send = el('button', 'primary', t('pay'));
  const node = el('form', 'card form', ...children, failed, tagged(send, `${key}-pay`));
  node.noValidate = true;
  node.onsubmit = (event) => { event.preventDefault(); state.formTrouble = null; submit((name) => node.querySelector(`[data-testid="${name}"]`).value.trim()); render(); };
  return node;
}

const goHome = () => { location.hash = ''; };

/* ---- the sheet: WeChat's own screen, over the mini program ---- */

function openSheet(order, params, info) {
  state.sheet = { order, params, info, opener: 'pay', busy: null, message: null };
  $('veil').hidden = false;
  for (const id of ['view', 'nav', 'tools', 'intro']) $(id).inert = true;
  renderSheet();
  $('confirm').focus({ preventScroll: true });
  say(t('sheetOpened', info.merchant_name, money(info.amount)));
}

function closeSheet() {
  state.sheet = null;
  $('veil').hidden = true;
  for (const id of ['view', 'nav', 'tools', 'intro']) $(id).inert = false;
  render();
  (document.querySelector('[data-testid="pay"]') ?? $('title')).focus();
}

function renderSheet() {
  const { info, busy, message } = state.sheet;
  $('sheet-merchant').textContent = info.merchant_name;
  $('sheet-amount').replaceChildren(...bigMoney(info.amount));
  $('sheet-goods').textContent = info.description;
  $('sheet-payer').textContent = state.user;
  $('sheet-message').hidden = !message;
  $('sheet-message').replaceChildren(...(message ? [t('noMoney'), tagged(el('span', 'mono', message), 'errmsg')] : []));
  $('confirm').textContent = busy === 'pay' ? t('paying') : t('confirm');
  for (const id of ['confirm', 'cancel', 'insufficient', 'sheet-close']) $(id).setAttribute('aria-disabled', String(Boolean(busy)));
}

/** The payer's thumb on a button of the sheet. */
async function thumb(outcome) {
  const { sheet } = state;
  if (!sheet || sheet.busy) return;
  Object.assign(sheet, { busy: outcome, message: null });
  renderSheet();
  let answer;
  try {
    const said = await call('POST', '/_sim/request-payment', { user: state.user, appId: sheet.order.app, ...sheet.params, outcome }, { name: 'wx.requestPayment' });
    answer = said.answer ?? {};
    said.step.gist([answer.errMsg, answer.why].filter(Boolean).join(' · '), answer.errMsg === 'requestPayment:ok');
  } catch (trouble) {
    closeSheet();
    return note(sheet.order.id, { phase: null, trouble });
  }
  sheet.busy = null;
  const errMsg = String(answer.errMsg);
  if (outcome === 'insufficient') {
    // WeChat keeps the payer on the sheet: nothing was charged, nobody is told.
    sheet.message = answer.why ? `${errMsg} · ${answer.why}` : errMsg;
    return renderSheet();
  }
  closeSheet();
  return requestPaymentSaid(sheet.order, errMsg, answer.why);
}

/* ---- the mini program: login, prepay, sheet, and then the truth ---- */

async function pay(order) {
  note(order.id, { phase: 'opening', trouble: null, errMsg: null });
  say(t('opening'));
  try {
    const params = order.pasted ?? await prepay(order);
    if (!params) return;
    // WeChat's client takes strings only; a number is the most common mistake.
    const wrong = FIELDS.find((name) => typeof params[name] !== 'string');
    if (wrong) {
      const kind = params[wrong] === undefined ? 'Undefined' : Object.prototype.toString.call(params[wrong]).slice(8, -1);
      return requestPaymentSaid(order, `requestPayment:fail parameter error: parameter.${wrong} should be String instead of ${kind};`);
    }
    const five = Object.fromEntries(FIELDS.map((name) => [name, params[name]]));
    const info = (await call('GET', `/phone/sheet?prepay_id=${encodeURIComponent(five.package.replace(/^prepay_id=/, ''))}`)).answer;
    note(order.id, { phase: null });
    openSheet(Object.assign(order, { amount: order.amount ?? info.amount, description: order.description ?? info.description }), five, info);
    render();
  } catch (trouble) {
    note(order.id, { phase: null, trouble });
  }
}

async function prepay(order) {
  const login = await call('POST', '/_sim/login', { appid: order.app, user: state.user }, { name: 'wx.login', hide: (answer) => answer.code });
  const { code } = login.answer;
  login.step.gist(`code ${shorten(code)}`);
  const paid = await call('POST', `${order.backend}/miniprogram/pay`, { code, orderId: order.id }, { name: 'POST /miniprogram/pay', hide: () => code });
  if (paid.answer?.alreadyPaid) {
    paid.step.gist('alreadyPaid');
    note(order.id, { phase: 'confirming' });
    await settle(order, [0, ...PATIENCE]);
    return null;
  }
  paid.step.gist(`${paid.answer?.signType} · ${paid.answer?.package}`);
  return paid.answer ?? {};
}

function requestPaymentSaid(order, errMsg, why) {
  if (errMsg === 'requestPayment:ok') {
    note(order.id, { phase: order.pasted ? 'pasted' : 'confirming', errMsg });
    say(t(order.pasted ? 'hintPasted' : 'confirming'));
    return order.pasted ? null : settle(order, PATIENCE);
  }
  const cancelled = errMsg === 'requestPayment:fail cancel' && !why;
  const trouble = cancelled ? null : { title: () => t('refused'), why: why ?? errMsg, remedy: () => t('refusedRemedy') };
  note(order.id, { phase: cancelled ? 'cancelled' : null, errMsg, trouble });
  if (cancelled) say(t('hintCancelled'));
  // "cancel" may hide a payment that went through: ask once.
  return order.pasted ? null : confirmOrder(order).catch((failed) => note(order.id, { trouble: failed }));
}

/** Waits for the event; asks when none comes. */
async function settle(order, pauses) {
  for (const pause of pauses) {
    await heardWithin(order.id, pause);
    if (findOrder(order.id).status === 'paid') return;
    try {
      await confirmOrder(order);
    } catch (trouble) {
      note(order.id, { phase: 'doubt', trouble });
      return;
    }
    if (['paid', 'closed'].includes(findOrder(order.id).status)) return;
  }
  note(order.id, { phase: 'doubt' });
}

function recheck(order) {
  note(order.id, { phase: 'confirming', trouble: null });
  return settle(order, [0]);
}

function heardWithin(id, milliseconds) {
  if (findOrder(id)?.status === 'paid') return Promise.resolve();
  return new Promise((resolve) => { waiting.set(id, resolve); setTimeout(resolve, milliseconds); });
}

async function confirmOrder(order) {
  const { answer, step } = await call('POST', `${order.backend}/miniprogram/orders/${encodeURIComponent(order.id)}/confirm`, undefined, { name: 'POST …/confirm' });
  step.gist(answer.status);
  heard({ ...answer, id: order.id });
}

/** The backend's word on an order, from whichever door it came. */
function heard(news) {
  const known = findOrder(news.id);
  const turned = news.status === 'paid' && known?.status !== 'paid';
  // A late "unpaid" does not take back what a notification has told.
  const fresh = known?.status === 'paid' && news.status !== 'paid' ? {} : Object.fromEntries(Object.entries(news).filter(([, value]) => value !== null));
  if (known) Object.assign(known, fresh);
  else state.orders.unshift(adopt(fresh));
  if (turned) {
    state.notes.set(news.id, { ...state.notes.get(news.id), phase: null, trouble: null });
    say(t('notifiedPaid', findOrder(news.id).description ?? news.id, money(findOrder(news.id).amount)));
    waiting.get(news.id)?.();
  }
  render();
  if (turned && orderInView() === news.id) $('view').scrollTop = 0;
}

const adopt = (order) => ({ ...order, app: order.app ?? state.config.apps[0]?.appid, backend: state.config.shop?.backend_url });

/* ---- the shop, or a form in its place ---- */

async function buy(item) {
  try {
    const { answer } = await call('POST', `${state.config.shop.url}/orders`, { item: item.id }, { name: `POST /orders · ${item.name}` });
    heard({ description: item.name, amount: item.amount, app: item.app, ...answer });
    location.hash = `#/order/${encodeURIComponent(answer.id)}`;
  } catch (trouble) {
    state.trouble = trouble;
    render();
  }
}

async function loadShop() {
  state.trouble = null;
  render();
  try {
    const { shop } = state.config;
    const [items, orders] = await Promise.all([call('GET', `${shop.url}/items`), call('GET', `${shop.url}/orders`)]);
    state.items = items.answer;
    state.orders = orders.answer.map(adopt);
  } catch (trouble) {
    state.trouble = trouble;
  }
  render();
}

function listen() {
  const events = new EventSource(`${state.config.shop.url}/events`);
  const link = (key) => { Object.assign($('link-state'), { hidden: false, className: key === 'live' ? 'link-state' : 'link-state down' }); $('link-state').dataset.t = key; translate(); };
  let dropped = false;
  events.onopen = () => { link('live'); if (dropped) loadShop(); dropped = false; };
  events.onerror = () => { link('reconnecting'); dropped = true; };
  events.addEventListener('order', ({ data }) => {
    const order = JSON.parse(data);
    const step = wireStep('event: order');
    step.good('SSE', JSON.stringify(order, null, 2));
    step.gist(`${order.status} · ${order.id}`);
    heard(order);
  });
}

function directPay(value) {
  const [backend, id, app] = ['direct-backend', 'direct-order', 'direct-app'].map(value);
  if (!backend || !id || !URL.canParse(backend)) {
    state.formTrouble = { form: 'direct', title: () => t('needBoth'), remedy: () => t('needBothRemedy') };
    return;
  }
  remember('backend', backend);
  begin({ id, app, backend: backend.replace(/\/+$/, ''), status: 'unpaid' });
}

function pastePay(value) {
  let pasted = null;
  try { pasted = JSON.parse(value('paste-params')); } catch { /* told below */ }
  if (!pasted || typeof pasted !== 'object' || Array.isArray(pasted)) {
    state.formTrouble = { form: 'paste', title: () => t('notJson'), remedy: () => t('notJsonRemedy') };
    return;
  }
  begin({ id: String(pasted.package ?? 'pasted').replace(/^prepay_id=/, ''), app: pasted.appId ?? value('paste-app'), pasted, status: 'unpaid' });
}

function begin(order) {
  state.orders = [order, ...state.orders.filter((known) => known.id !== order.id)];
  state.notes.delete(order.id);
  location.hash = `#/order/${encodeURIComponent(order.id)}`;
  pay(order);
}

/* ---- the start ---- */

async function start() {
  state.trouble = null;
  render();
  try {
    state.config = (await call('GET', '/phone/config.json')).answer;
  } catch (trouble) {
    state.trouble = trouble;
    return render();
  }
  const { users, shop } = state.config;
  state.user = users.includes(remember('user')) ? remember('user') : users[0];
  state.draft['direct-backend'] ??= remember('backend');
  if (!shop) return render();
  listen();
  return loadShop();
}

function keepFocusInSheet(event) {
  if (!state.sheet) return;
  if (event.key === 'Escape') thumb('cancel');
  if (event.key !== 'Tab') return;
  const stops = [...$('sheet').querySelectorAll('button')];
  const at = stops.indexOf(document.activeElement);
  event.preventDefault();
  stops[(at + (event.shiftKey ? -1 : 1) + stops.length) % stops.length].focus();
}

function showWire(open) {
  $('wire').classList.toggle('open', open);
  $('wire-toggle').setAttribute('aria-expanded', String(open));
  (open ? $('wire-title') : $('wire-toggle')).focus();
}

const tellTime = () => { $('clock-face').textContent = new Date().toTimeString().slice(0, 5); };

$('confirm').onclick = () => thumb('pay');
$('cancel').onclick = $('sheet-close').onclick = () => thumb('cancel');
$('insufficient').onclick = () => thumb('insufficient');
$('back-button').onclick = goHome;
$('wire-toggle').onclick = () => showWire(!$('wire').classList.contains('open'));
$('wire-close').onclick = () => showWire(false);
$('wire-clear').onclick = clearWire;
$('lang').onclick = () => {
  language.now = language.now === 'en' ? 'zh' : 'en';
  remember('lang', language.now);
  translate();
  render();
  if (state.sheet) renderSheet();
};
document.addEventListener('keydown', keepFocusInSheet);
document.addEventListener('keydown', (event) => { if (event.key === 'Escape' && $('wire').classList.contains('open')) showWire(false); });
addEventListener('hashchange', () => { render(); $('view').scrollTop = 0; $('title').focus({ preventScroll: true }); });
setInterval(tellTime, 10000);

chooseLanguage();
translate();
tellTime();
start();
