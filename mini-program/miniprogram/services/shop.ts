import type { Order } from 'suanpan-mp';
import { config } from '../config';
import { ask } from './http';

/** 一样可以买的东西 / something to buy. */
export interface Item {
  id: string;
  name: string;
  /** In fen. */
  amount: number;
  api: 'v2' | 'v3';
}

export interface Where {
  shop: string;
  suanpan: string;
}

/** The simulator knows the shop that `suanpan dev` has opened. */
export async function where(): Promise<Where> {
  if (!config.simulator) return config;
  const { shop } = await ask<{ shop: { url: string; backend_url: string } | null }>(`${config.simulator}/phone/config.json`);
  if (!shop) throw new Error(`${config.simulator} 没有茶铺，请用 suanpan dev`);
  return { shop: shop.url, suanpan: shop.backend_url };
}

export async function items(): Promise<Item[]> {
  return ask(`${(await where()).shop}/items`);
}

/** The shop's backend makes the order: the phone says which item, and nothing about its price. */
export async function order(item: string): Promise<Order> {
  return ask(`${(await where()).shop}/orders`, { item });
}

/** The order as Suanpan has it. */
export async function look(id: string): Promise<Order> {
  return ask(`${(await where()).suanpan}/miniprogram/orders/${id}`);
}

/** 990 → 9.90: whole numbers all the way. */
export function yuan(fen: number): string {
  return `${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, '0')}`;
}
