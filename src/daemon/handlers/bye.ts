/** BYE: the session ends; its queue stays (P9), and BYE answers once the ACKs before it are stored (P12). */
import type { Handler } from './handler.ts';

export const bye: Handler<'BYE'> = (_relay, peer) => peer.leave();
