// A phone with WeChat on it: `wx` as its documents describe it, with the simulator behind it.
//
// Requests are real ones. `line` may hold them up: it is asked before each, and says what happens to it.

const FIVE = ['timeStamp', 'nonceStr', 'package', 'signType', 'paySign'];

export class Phone {
  /** What the payer does with each sheet: `pay`, `cancel`, `insufficient`, `leave`. */
  outcome = 'pay';
  /** What the mini program is told instead of the truth; `null`: nothing at all. */
  told = undefined;
  /** What happens between the payer's decision and the end of the sheet. */
  decided = async () => undefined;
  /** `(path) => undefined | 'down' | 'lost' | { statusCode, data, header }` */
  line = () => undefined;
  /** Why `wx.login` fails. */
  loginFails = () => undefined;
  /** What was called, in order: `login`, `sheet`, or the path of a request. */
  calls = [];
  codes = [];
  sheets = [];
  tells = [];

  #front = new Set();

  constructor({ simulator }, appid, user = 'alice') {
    Object.assign(this, { simulator, appid, user });
    this.wx = {
      login: promisable((options) => this.#login(options)),
      request: (options) => this.#request(options),
      requestPayment: promisable((options) => this.#requestPayment(options)),
      showActionSheet: promisable(({ itemList }) => this.#showActionSheet(itemList)),
      onAppShow: (listener) => { this.#front.add(listener); },
      offAppShow: (listener) => { this.#front.delete(listener); },
    };
  }

  /** The payer comes back to the mini program. */
  comeBack() {
    for (const listener of this.#front) listener({ path: 'pages/shop/shop' });
  }

  get listeners() {
    return this.#front.size;
  }

  async #login() {
    this.calls.push('login');
    const errMsg = this.loginFails();
    if (errMsg) throw { errMsg };
    const { code } = await this.#simulator('login', { appid: this.appid, user: this.user });
    this.codes.push(code);
    return { code, errMsg: 'login:ok' };
  }

  // As WeChat does it: whatever the status is, an answer is a success.
  #request({ url, method = 'GET', data, header = {}, timeout = 60_000, success, fail }) {
    const { pathname } = new URL(url);
    this.calls.push(pathname);
    const answer = async () => {
      const fate = this.line(pathname);
      if (fate === 'down') throw { errMsg: 'request:fail ' };
      if (fate instanceof Object) return { header: {}, errMsg: 'request:ok', ...fate };
      const body = method === 'POST' ? JSON.stringify(data) : undefined;
      const headers = { 'content-type': 'application/json', ...header };
      const reply = await fetch(url, { method, headers, body, signal: AbortSignal.timeout(timeout) })
        .catch((cause) => { throw { errMsg: `request:fail ${cause}` }; });
      const text = await reply.text();
      if (fate === 'lost') throw { errMsg: 'request:fail timeout' };
      return { statusCode: reply.status, data: readable(text), header: capitals(reply.headers), errMsg: 'request:ok' };
    };
    answer().then(success, fail);
    return { abort() {} };
  }

  async #requestPayment(options) {
    this.calls.push('sheet');
    this.sheets.push(options);
    for (const field of FIVE) {
      const kind = typeof options[field];
      if (kind !== 'string') throw { errMsg: `requestPayment:fail parameter error: parameter.${field} should be String instead of ${kind};` };
    }
    const five = Object.fromEntries(FIVE.map((field) => [field, options[field]]));
    const { outcome } = this;
    const heard = await this.#simulator('request-payment', { ...five, user: this.user, appId: this.appid, outcome });
    await this.decided();
    const errMsg = this.told === undefined ? heard.errMsg : this.told;
    // Nothing is ever heard of this sheet.
    if (!errMsg) return new Promise(() => {});
    if (errMsg !== 'requestPayment:ok') throw { errMsg };
    return { errMsg };
  }

  async #showActionSheet(itemList) {
    this.calls.push('actionSheet');
    this.tells.push(itemList);
    if (this.outcome === 'cancel') throw { errMsg: 'showActionSheet:fail cancel' };
    return { tapIndex: this.outcome === 'pay' ? 0 : 1, errMsg: 'showActionSheet:ok' };
  }

  async #simulator(path, body) {
    const answer = await fetch(`${this.simulator}/_sim/${path}`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
    });
    if (!answer.ok) throw { errMsg: `${path}:fail ${answer.status} ${await answer.text()}` };
    return answer.json();
  }
}

/** As in `wx`: a promise where there is no callback, and none where there is one. */
function promisable(play) {
  return (options = {}) => {
    const played = play(options);
    if (!options.success && !options.fail && !options.complete) return played;
    played.then(
      (result) => { options.success?.(result); options.complete?.(result); },
      (error) => { options.fail?.(error); options.complete?.(error); },
    );
    return undefined;
  };
}

/** `dataType: 'json'`: what is no JSON stays a text. */
function readable(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Many phones write `Retry-After`, some `retry-after`. */
function capitals(headers) {
  return Object.fromEntries([...headers].map(([name, value]) => [name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()), value]));
}
