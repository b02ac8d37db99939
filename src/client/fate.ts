/** What became of a SEND towards one recipient. */
export type Fate =
  /** A store that survives the daemon has it. */
  | { id: string; to: string; outcome: 'stored' }
  | { id: string; to: string; outcome: 'delivered' }
  | { id: string; to: string; outcome: 'held' }
  | { id: string; to: string; outcome: 'failed'; code: string; message: string };
