import { Trouble } from '../../services/http';
import { type Item, items, order, yuan } from '../../services/shop';

/** 茶单 / what is sold. */
Component({
  data: {
    items: [] as Array<Item & { price: string }>,
    /** 正在下单的那一样 / the item that is being ordered. */
    buying: '',
    trouble: null as { detail: string; remedy?: string } | null,
  },

  methods: {
    onLoad() {
      return this.load();
    },

    async onPullDownRefresh() {
      await this.load();
      wx.stopPullDownRefresh();
    },

    async load() {
      try {
        const found = await items();
        this.setData({ items: found.map((item) => ({ ...item, price: yuan(item.amount) })), trouble: null });
      } catch (error) {
        this.setData({ trouble: told(error) });
      }
    },

    async buy(event: { currentTarget: { dataset: { item: string } } }) {
      // Two taps are one order.
      if (this.data.buying) return;
      const { item } = event.currentTarget.dataset;
      this.setData({ buying: item });
      try {
        const { id } = await order(item);
        this.setData({ trouble: null });
        wx.navigateTo({ url: `/pages/order/order?id=${id}` });
      } catch (error) {
        this.setData({ trouble: told(error) });
      } finally {
        this.setData({ buying: '' });
      }
    },
  },
});

function told(error: unknown): { detail: string; remedy?: string } {
  return error instanceof Trouble ? error.problem : { detail: String(error) };
}
