// Checked by tsc, never run: what the front-end package says of an order is what the document says.

import type { Order as OnThePhone } from '../../sdk-js/dist/index.js';
import type { components } from './schema';

type Documented = components['schemas']['Order'];

declare const documented: Documented;
export const same: OnThePhone = documented;
// And nothing is left out on the phone.
export const all: keyof Documented = {} as keyof OnThePhone;
export const none: keyof OnThePhone = {} as keyof Documented;
