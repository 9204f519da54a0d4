// Keeps a page up to date while somebody looks at it. Without it, the reload link does the same by hand.
'use strict';

const PATIENCE = 30_000;
const live = document.querySelector('[data-live]');
let source = null;
let running = false;
let again = false;

/** Says whether the page is kept up to date: `on`, `off` while the server is away, `none` without us. */
function show(state) {
  for (const part of document.querySelectorAll('[data-live-state]')) {
    part.hidden = part.dataset.liveState !== state;
  }
}

/** Asks for the same page again and takes over what changed in it. */
async function refresh() {
  if (running) {
    again = true;
    return;
  }
  running = true;
  try {
    const reply = await fetch(location.href, { headers: { accept: 'text/html' } });
    if (reply.status === 401) {
      // The session is over: the page at the door says what to do.
      location.reload();
      return;
    }
    if (!reply.ok) return;
    take(new DOMParser().parseFromString(await reply.text(), 'text/html'));
    if (source?.readyState === EventSource.OPEN) show('on');
  } catch {
    show('off');
  } finally {
    running = false;
    if (again) {
      again = false;
      refresh();
    }
  }
}

function take(page) {
  const fresh = page.querySelector('[data-live]');
  // Not under the hands of somebody who is copying a number.
  const selection = document.getSelection();
  const busy = selection && !selection.isCollapsed && live.contains(selection.anchorNode);
  if (!fresh || busy || fresh.innerHTML === live.innerHTML) return;
  const focused = live.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  const open = [...live.querySelectorAll('details[open]')].map((details) => nameOf(details.querySelector('summary')));
  live.replaceChildren(...fresh.childNodes);
  for (const name of open) live.querySelector(name)?.closest('details')?.setAttribute('open', '');
  if (focused) live.querySelector(focused)?.focus({ preventScroll: true });
}

/** A selector that finds a link, a button or the head of a fold again when the part around it is made anew. */
function nameOf(element) {
  const form = element.closest('form')?.getAttribute('action');
  if (form) return `form[action="${CSS.escape(form)}"] ${element.localName}`;
  const href = element.getAttribute('href');
  if (href) return `a[href="${CSS.escape(href)}"]`;
  const section = element.closest('[data-testid]')?.dataset.testid;
  return section ? `[data-testid="${CSS.escape(section)}"] ${element.localName}` : element.localName;
}

// A browser has few connections to one server: a tab that nobody sees gives its own back.
function listen() {
  if (document.hidden || source) return;
  let late = false;
  source = new EventSource('/console/live/stream');
  source.onopen = () => {
    show('on');
    if (late) refresh();
  };
  source.onmessage = refresh;
  source.onerror = () => {
    late = true;
    show('off');
    // Refused for good, not only cut off: perhaps the session is over.
    if (source?.readyState === EventSource.CLOSED) {
      leave();
      refresh();
      setTimeout(listen, PATIENCE / 3);
    }
  };
}

function leave() {
  source?.close();
  source = null;
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    leave();
  } else {
    refresh();
    listen();
  }
});
addEventListener('pagehide', leave);
// Other nodes commit unseen, so look in any case now and then.
setInterval(() => document.hidden || refresh(), PATIENCE);
listen();
