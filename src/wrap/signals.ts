/** Signals to this process as something that is passed in, so that tests need not kill themselves. */

export interface Signals {
  /** Calls `handler` at each such signal; returns what ends that. */
  on(signal: NodeJS.Signals, handler: () => void): () => void;
  /** Lets the signal act on this process as if nobody handled it: normally it does not return. */
  raise(signal: NodeJS.Signals): void;
}

export const processSignals: Signals = {
  on(signal, handler) {
    process.on(signal, handler);
    return () => process.off(signal, handler);
  },
  raise(signal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  },
};
