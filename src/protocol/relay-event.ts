/** What happens in the relay, for those who watch. Never bodies, never tokens. docs/protocol.md §Control (P22). */

export type RelayEvent =
  | { type: 'session'; agent: string; state: string; at: number; reason?: string }
  | { type: 'message'; id: string; from: string; to: string; topic?: string; at: number; size: number }
  | {
      type: 'fate';
      id: string;
      from: string;
      to: string;
      fate: 'delivered' | 'written' | 'dead' | 'deferred' | 'held' | 'released' | 'claimed';
      code?: string;
      at: number;
    };
