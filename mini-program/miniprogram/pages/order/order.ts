import type { Order } from 'suanpan-mp';
import { Trouble } from '../../services/http';
import { pay } from '../../services/pay';
import { look, yuan } from '../../services/shop';

const STATES = { unpaid: '等待付款', paying: '等待付款', paid: '已支付', closed: '已关闭' };

/** 一张订单，和它的付款 / an order, and how it is paid. */
Component({
  data: {
    id: '',
    order: null as (Order & { price: string; state: string }) | null,
    payable: false,
    paying: false,
    /** 付款人现在该知道的一句话 / one sentence for the payer. */
    notice: '',
    trouble: null as { detail: string; remedy?: string } | null,
  },

  methods: {
    onLoad({ id = '' }: { id?: string }) {
      this.setData({ id });
      return this.look();
    },

    async onPullDownRefresh() {
      await this.look();
      wx.stopPullDownRefresh();
    },

    async look() {
      try {
        this.show(await look(this.data.id));
        this.setData({ notice: '', trouble: null });
      } catch (error) {
        this.setData({ trouble: error instanceof Trouble ? error.problem : { detail: String(error) } });
      }
    },

    async pay() {
      const { order } = this.data;
      if (!order) return;
      this.setData({ paying: true, notice: '', trouble: null });
      const { status, problem, order: now } = await pay(order);
      if (now) this.show(now);
      else if (status === 'paid') await this.look();
      this.setData({
        paying: false,
        notice: { paid: '', pending: '正在确认付款结果，请稍后下拉刷新。不用担心，不会重复扣款。', cancelled: '还没有付款。', failed: '没有付成。' }[status],
        trouble: status === 'failed' && problem ? problem : null,
      });
    },

    show(order: Order) {
      const payable = order.status === 'unpaid' || order.status === 'paying';
      this.setData({ order: { ...order, price: yuan(order.amount), state: STATES[order.status] }, payable });
    },
  },
});
