import type { Problem } from 'suanpan-mp';

/** Why something did not work, for the payer and for whoever helps him. */
export class Trouble extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

/** What this address answers; throws {@link Trouble}. */
export function ask<Answer>(url: string, data?: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    wx.request({
      url,
      method: data ? 'POST' : 'GET',
      data,
      timeout: 10_000,
      success({ statusCode, data: answer }) {
        if (statusCode < 300) return resolve(answer as unknown as Answer);
        // A proxy's error page is a text.
        const problem = (typeof answer === 'object' ? answer : {}) as Partial<Problem>;
        return reject(new Trouble({ ...problem, code: problem.code ?? 'HTTP', detail: problem.detail ?? `${url}: HTTP ${statusCode}` }));
      },
      fail({ errMsg }) {
        const remedy = `连不上 ${url}：suanpan dev 开着吗？「详情 → 本地设置」里勾选「不校验合法域名」了吗？`;
        reject(new Trouble({ code: 'MP-NETWORK', detail: errMsg, remedy }));
      },
    });
  });
}
