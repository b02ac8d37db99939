/** What a wrapper tells those who follow its agent's screen: one JSON object a line. docs/people.md. */
import * as z from 'zod';

/** Bytes of one frame with its line feed. The largest screens fit; a reader buffers no more than this. */
export const MAX_SCREEN_FRAME_BYTES = 1024 * 1024;

export const ScreenFrame = z.object({
  cols: z.int().min(0),
  rows: z.int().min(0),
  /** The visible rows from the top, without blanks at their ends; of an agent that only prints, its last lines. */
  text: z.array(z.string()),
  /** 0-based, within `text`. */
  cursor: z.object({ row: z.int().min(0), column: z.int().min(0) }),
});

export type ScreenFrame = z.output<typeof ScreenFrame>;
