// What the phone says, in Chinese and in English, and how it writes money and time.
//
// Chinese is first. `?lang=en`, the switch, and the browser's languages choose, in this order.

const TEXT = {
  brand: ['算盘 · 模拟器', 'Suanpan · simulator'],
  lead: ['微信、小程序、付款人，都在这部手机里。钱是假的，签名是真的。', 'WeChat, the mini program and the payer in one phone. The money is play money, the signatures are real.'],
  phone: ['手机', 'Phone'], back: ['返回', 'Back'], wire: ['幕后', 'The wire'], clear: ['清空', 'Clear'], closeWire: ['收起幕后', 'Close the wire'],
  wireEmpty: ['付一笔款，这里就会一步一步地写下小程序和微信说了什么。', 'Pay for something: each step that the mini program and WeChat take is written here.'],
  live: ['实时', 'live'], reconnecting: ['连接断开，正在重连', 'connection lost, reconnecting'],
  who: ['微信账号', 'WeChat user'], loading: ['正在打开…', 'Opening…'], retry: ['再试一次', 'Try again'],
  goodsTitle: ['今日好茶', 'Tea of the day'], buy: ['购买', 'Buy'], buyNamed: ['购买 {0}', 'Buy {0}'], ordersTitle: ['我的订单', 'Orders'],
  noGoods: ['店里没有东西', 'The shop is empty'], noGoodsHint: ['请看运行模拟器的终端，那里写着原因。', 'The terminal that runs the simulator says why.'],
  noOrders: ['还没有订单', 'No orders yet'], noOrdersHint: ['挑一样，点“购买”，再付款。', 'Pick something, press Buy, then pay.'],
  noUsers: ['没有可以扮演的用户', 'No user to play'], noUsersHint: ['请用新的 --data 目录重新启动模拟器。', 'Start the simulator again with a new --data directory.'],
  unpaid: ['待支付', 'Unpaid'], paid: ['已支付', 'Paid'], closed: ['已关闭', 'Closed'], confirming: ['支付结果确认中', 'Confirming the payment'],
  order: ['订单', 'Order'], orderId: ['订单号', 'Order id'], goods: ['商品', 'Goods'], merchant: ['收款方', 'Merchant'], paidAt: ['支付时间', 'Paid at'],
  transaction: ['微信支付单号', 'Transaction'], refunded: ['已退款', 'Refunded'], requestSaid: ['小程序听到', 'The mini program heard'],
  payNow: ['微信支付 {0}', 'Pay {0} with WeChat'], opening: ['正在打开微信支付…', 'Opening WeChat Pay…'], again: ['再付一次', 'Pay again'], home: ['再逛逛', 'Back to the shop'], recheck: ['再查一次', 'Ask again'],
  hintUnpaid: ['付款前，订单会一直在这里等你。', 'The order waits here until it is paid.'],
  hintPaid: ['后端已收到微信的通知，并验过签名。', 'The backend heard it from WeChat and checked the signature.'],
  hintClosed: ['订单已关闭，不能再付。请重新下单。', 'This order is closed and cannot be paid. Please place a new one.'],
  hintConfirming: ['微信说“ok”还不算数，等后端确认。', 'An "ok" from WeChat is no proof yet; waiting for the backend.'],
  hintDoubt: ['后端还没有收到结果。钱不会丢：稍后再查，不要重复付款。', 'The backend has not heard yet. No money is lost: ask again in a moment, do not pay twice.'],
  hintPasted: ['手机说“ok”。是否到账，请看你的后端收到的支付通知。', 'The phone says ok. Whether it is paid, the notification that your backend gets will tell.'],
  hintCancelled: ['你取消了支付，订单还在，随时可以再付。', 'You cancelled. The order is still here; pay whenever you like.'],
  notifiedPaid: ['{0} 已支付 {1}', '{0}: {1} paid'], checking: ['正在查询…', 'Asking…'],
  sheetTitle: ['微信支付', 'WeChat Pay'], method: ['付款方式', 'Pay with'], wallet: ['零钱', 'Balance'], payer: ['付款人', 'Payer'],
  confirm: ['确认支付', 'Pay'], paying: ['正在支付…', 'Paying…'], cancel: ['取消', 'Cancel'], cancelPay: ['取消支付', 'Cancel the payment'], insufficient: ['余额不足', 'Not enough'],
  sheetOpened: ['微信支付：向 {0} 付款 {1}', 'WeChat Pay: {1} to {0}'],
  noMoney: ['零钱余额不足，没有扣款。充值后可以再点“确认支付”，或取消。', 'Not enough balance; nothing was charged. Top up and press Pay, or cancel.'],
  refused: ['微信没有受理这次支付', 'WeChat did not take this payment'], refusedRemedy: ['订单没有扣款。按上面的原因改好参数，再付一次。', 'Nothing was charged. Mend what the line above names, then pay again.'],
  unreachable: ['连不上 {0}', 'Cannot reach {0}'],
  unreachableRemedy: ['看看它是否在运行；如果在另一个端口上，它要允许本页跨域访问（CORS）。', 'See that it runs; on another port it has to allow this page by CORS.'],
  answered: ['{0} 答了 {1}', '{0} answered {1}'], unreadable: ['{0} 的应答不是 JSON', 'The answer of {0} is not JSON'],
  noShop: ['付一笔你自己的订单', 'Pay an order of your own'],
  noShopHint: ['在你的后端建一张订单，把后端地址和订单号填在这里，手机就会像小程序一样登录、下单、付款。', 'Create an order in your backend, enter its address and the order id, and the phone logs in, orders and pays as a mini program does.'],
  backend: ['后端地址', 'Backend URL'], app: ['小程序', 'Mini program'], pay: ['付款', 'Pay'],
  paste: ['或者：粘贴五个支付参数', 'Or paste the five parameters'],
  pasteHint: ['后端不允许跨域，或者还没有这个接口？把它返回给 wx.requestPayment 的 JSON 贴在这里。', 'No CORS, or no such route yet? Paste the JSON that your backend returns for wx.requestPayment.'],
  params: ['支付参数（JSON）', 'Parameters (JSON)'], notJson: ['这不是一个 JSON 对象', 'This is not a JSON object'],
  notJsonRemedy: ['贴上 {"timeStamp", "nonceStr", "package", "signType", "paySign"}，五个值都是字符串。', 'Paste {"timeStamp", "nonceStr", "package", "signType", "paySign"}, all five of them strings.'],
  needBoth: ['还缺后端地址或订单号', 'The backend URL or the order id is missing'], needBothRemedy: ['两样都填好，再点“付款”。', 'Enter both, then press Pay.'],
  gone: ['这张订单不在列表里', 'This order is not in the list'], goneRemedy: ['可能换了数据目录。回到首页，重新下单。', 'The data directory may have changed. Go back and order anew.'],
};

/** The language now: `zh` or `en`. */
export const language = { now: 'zh' };

export const t = (key, ...args) => TEXT[key][language.now === 'en' ? 1 : 0].replace(/\{(\d)\}/g, (_, n) => args[n]);
export const read = (text) => (typeof text === 'function' ? text() : text);
// Integer arithmetic only: 990 fen are ¥9.90.
export const yuan = (fen) => (Number.isInteger(fen) ? `${Math.floor(fen / 100).toLocaleString('en-US')}.${String(fen % 100).padStart(2, '0')}` : '—');
export const money = (fen) => `¥${yuan(fen)}`;
export const beijing = (text) => new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai', dateStyle: 'short', timeStyle: 'medium' }).format(new Date(text));
export const shorten = (text) => (text.length > 10 ? `${text.slice(0, 4)}…${text.slice(-2)}` : text);

export function chooseLanguage() {
  const asked = new URLSearchParams(location.search).get('lang') ?? remember('lang') ?? navigator.languages?.[0] ?? 'zh';
  language.now = asked.toLowerCase().startsWith('en') ? 'en' : 'zh';
}

export function translate() {
  document.documentElement.lang = language.now === 'en' ? 'en' : 'zh-CN';
  for (const node of document.querySelectorAll('[data-t]')) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll('[data-t-label]')) node.setAttribute('aria-label', t(node.dataset.tLabel));
  document.getElementById('lang').textContent = language.now === 'en' ? '中文' : 'English';
  document.getElementById('lang').lang = language.now === 'en' ? 'zh-CN' : 'en';
}

export function remember(key, value) {
  try {
    if (value !== undefined) localStorage.setItem(`suanpan.phone.${key}`, value);
    return localStorage.getItem(`suanpan.phone.${key}`) ?? undefined;
  } catch {
    return undefined; // Private windows may forbid it; the phone works without a memory.
  }
}
