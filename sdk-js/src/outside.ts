/** Time and dice; a test has its own. */
export interface Outside {
  /** In milliseconds. */
  now(): number;
  /** Of these milliseconds. */
  wait(duration: number): Promise<void>;
  /** From 0 up to, not including, 1. */
  random(): number;
}

declare function setTimeout(callback: () => void, duration: number): unknown;

/** Those of the phone. */
export const phone: Outside = {
  now: () => Date.now(),
  wait: (duration) => new Promise((resolve) => { setTimeout(resolve, duration); }),
  random: () => Math.random(),
};
