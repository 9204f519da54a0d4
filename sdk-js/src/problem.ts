/** 算盘的 `application/problem+json`，原样；手机上发生的事用同样的形状，`code` 以 `MP-` 开头。/ Suanpan's problem as it came; what happened on the phone has the same shape, and a `code` of `MP-…`. */
export interface Problem {
  /** 稳定的名字，写程序用它 / a stable name for programs. */
  code: string;
  /** 发生了什么 / what happened. */
  detail: string;
  /** 现在怎么办 / what to do now. */
  remedy?: string;
  /** HTTP 状态 / the HTTP status. */
  status?: number;
  /** 在算盘的日志里找这个请求 / finds the request in Suanpan's log. */
  request_id?: string;
  /** 微信说了什么 / what WeChat said. */
  wechat?: { code: string; message: string };
  [more: string]: unknown;
}

/** What happened on the phone: `detail` begins with the platform's own words, which `suanpan explain` knows. */
export const problems = {
  login: (errMsg: string): Problem => ({
    code: 'MP-LOGIN',
    detail: errMsg,
    remedy: '请重新进入小程序再试。/ Open the mini program again and retry.',
  }),
  network: (errMsg: string): Problem => ({
    code: 'MP-NETWORK',
    detail: errMsg,
    remedy: '检查网络，以及小程序后台的 request 合法域名；再次 pay 不会重复扣款。/ Check the network and the request domains of the mini program; to pay again takes no money twice.',
  }),
  answer: (status: number): Problem => ({
    code: 'MP-ANSWER',
    detail: `不是算盘的回答（HTTP ${status}）/ not an answer of Suanpan (HTTP ${status})`,
    status,
    remedy: '检查 baseUrl，以及中间的代理或登录页。/ Check baseUrl, and what stands between: a proxy, a login page.',
  }),
  payment: (errMsg: string): Problem => ({
    code: 'MP-PAYMENT',
    detail: errMsg,
    remedy: '用 suanpan explain 查这句话的原因。/ suanpan explain tells the causes of these words.',
  }),
  late: (): Problem => ({
    code: 'MP-UNCONFIRMED',
    detail: '还不知道付款结果 / the result of the payment is not known yet',
    remedy: '稍后用同一个订单号再查；钱不会丢。/ Look at the same order again later; no money is lost.',
  }),
};
