/** 茶铺和算盘在哪里。/ Where the shop and Suanpan are. */
export const config = {
  /**
   * 没有商户号时：`suanpan dev` 的模拟器，登录和付款单由它扮演。上线时留空。
   * Without a merchant account: the simulator of `suanpan dev`, which plays login and sheet. Empty when live.
   */
  simulator: 'http://127.0.0.1:9090',
  /** 上线时：你自己的后端，它下单、定价 / live: your own backend, which makes orders and sets prices. */
  shop: '',
  /** 上线时：算盘的地址 / live: where Suanpan is. */
  suanpan: '',
};
