/** The extractor's limits, each with its unit and reason. */

/**
 * UTF-8 bytes of one block or one inline body. A frame is 1 MiB, 4 KiB of which are the daemon's
 * (P6): what is longer could be sent by nobody, so it is refused where the agent's words still show.
 */
export const MAX_DIRECTIVE_BYTES = 1024 * 1024 - 4 * 1024;

/** Levels of `{` and `[` in a block. No message needs more; recursion over `data` stays shallow. */
export const MAX_BLOCK_DEPTH = 64;

/**
 * Lines that a block already known to be bad may hold back while its closing marker is looked for.
 * The figure of P26: one stray `[[RELAY]]` must not mute an agent.
 */
export const MAX_BAD_BLOCK_LINES = 200;

/** Lines after which an unclosed fence ends on a screen, where a message has no end (P26). */
export const SCREEN_FENCE_LINES = 200;
